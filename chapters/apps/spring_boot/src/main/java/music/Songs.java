// The songs: read from the catalogue's export, searched, added to. Nothing here knows HTTP.
package music;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.text.Normalizer;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListMap;

import org.springframework.stereotype.Repository;
import tools.jackson.databind.json.JsonMapper;

/** All songs, in the order of their ids. */
@Repository
class Songs {

    private static final int LONGEST_ID = 100; // one letter of a title can become several of it

    private final ConcurrentSkipListMap<String, Song> songs = new ConcurrentSkipListMap<>();
    private final Path audio;

    /** Reads songs.json from the folder data; its folder audio has the sound. */
    Songs(Settings settings, JsonMapper json) {
        for (Song song : json.readValue(settings.data().resolve("songs.json"), Song[].class)) {
            songs.put(song.id(), song);
        }
        audio = settings.data().resolve("audio");
    }

    Optional<Song> get(String id) {
        return Optional.ofNullable(songs.get(id));
    }

    List<Song> search(String words, String after) {
        String part = slug(words);
        return songs.tailMap(after, false).values().stream()
                .filter(song -> slug(song.title() + " " + song.composer()).contains(part))
                .toList();
    }

    /** The song with its id; empty if there is one with this id already. */
    Optional<Song> add(String title, String composer, int year, String genre) {
        String slug = slug(title);
        String id = slug.substring(0, Math.min(slug.length(), LONGEST_ID));
        Song song = new Song(id, title, composer, year, genre);
        return songs.putIfAbsent(id, song) == null ? Optional.of(song) : Optional.empty();
    }

    Optional<byte[]> audio(String id) throws IOException {
        if (!songs.containsKey(id)) {
            return Optional.empty(); // not every text that is asked for can be a file's name
        }
        Path file = audio.resolve(id + ".wav");
        return Files.exists(file) ? Optional.of(Files.readAllBytes(file)) : Optional.empty();
    }

    /** Without accents, case and punctuation: "Für Elise" is "fur-elise". */
    static String slug(String text) {
        return Normalizer.normalize(text, Normalizer.Form.NFKD)
                .replaceAll("[^\\p{ASCII}]", "")
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^a-z0-9]+", "-")
                .replaceAll("^-|-$", "");
    }
}
