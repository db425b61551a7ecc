// A MongoDB-compatible server for the course: FerretDB, with SQLite files in a folder.
//
// FerretDB's own command needs files that only its release process makes, so this starts the
// server through the interface for Go programs that FerretDB offers for embedding.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "where to listen")
	folder := flag.String("folder", "", "the folder of the SQLite files")
	version := flag.Bool("version", false, "say the version and end")
	flag.Parse()
	if *version {
		fmt.Println("FerretDB", module())
		return
	}

	// FerretDB warns of each answer that is an error; the client gets these anyway.
	quiet := slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: *listen},
		Logger:    slog.New(quiet),
		Handler:   "sqlite",
		SQLiteURL: "file:" + *folder + "/",
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Print("waiting for connections at ", *listen)
	if err := server.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

// module is the version of FerretDB that this program was built with.
func module() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, one := range info.Deps {
			if one.Path == "github.com/FerretDB/FerretDB" {
				return one.Version
			}
		}
	}
	return "unknown"
}
