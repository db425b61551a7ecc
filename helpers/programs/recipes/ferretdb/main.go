// A MongoDB-compatible server for the course: FerretDB, with SQLite files in a folder.
//
// FerretDB's own command needs files that only its release process makes, so this starts the
// server through the interface for Go programs that FerretDB offers for embedding.
package main

import (
	"context"
	"flag"
	"log"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "where to listen")
	folder := flag.String("folder", "", "the folder of the SQLite files")
	flag.Parse()

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
