// The addresses of the API, and what each does.
package music;

import java.io.IOException;
import java.net.URI;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import jakarta.validation.Valid;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.ErrorResponseException;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.servlet.ModelAndView;

@RestController
class SongController {

    private static final String Q = "At most 100 characters.";
    private static final String LIMIT = "A whole number from 1 to 100.";
    private static final String CURSOR = "What next said on the page before.";

    private final Songs songs;

    SongController(Songs songs) {
        this.songs = songs;
    }

    record Page(List<Song> items, String next) {
    }

    @GetMapping("/")
    ModelAndView page() {
        return new ModelAndView("songs", "songs", songs.search("", ""));
    }

    @GetMapping("/health")
    Map<String, String> health() {
        return Map.of("status", "ok");
    }

    // lists, because a parameter can be sent twice
    @GetMapping("/songs")
    Page list(
            @RequestParam(defaultValue = "") @Size(max = 1, message = Q)
            List<@Pattern(regexp = "(?s).{0,100}", message = Q) String> q,
            @RequestParam(required = false) @Size(max = 1, message = LIMIT)
            List<@Pattern(regexp = "0*([1-9][0-9]?|100)", message = LIMIT) String> limit,
            @RequestParam(required = false) @Size(max = 1, message = CURSOR)
            List<@Pattern(regexp = "[a-z0-9-]{1,100}", message = CURSOR) String> cursor) {
        int most = limit == null ? 20 : Integer.parseInt(limit.get(0));
        List<Song> found = songs.search(q.get(0), cursor == null ? "" : cursor.get(0));
        if (found.size() <= most) {
            return new Page(found, null);
        }
        return new Page(found.subList(0, most), found.get(most - 1).id());
    }

    @PostMapping(path = "/songs", consumes = MediaType.APPLICATION_JSON_VALUE)
    ResponseEntity<Song> add(@Valid @RequestBody NewSong song) {
        Song added = songs.add(song.title(), song.composer(), song.year(), song.genre())
                .orElseThrow(() -> new ErrorResponseException(HttpStatus.CONFLICT));
        return ResponseEntity.created(URI.create("/songs/" + added.id())).body(added);
    }

    @GetMapping("/songs/{id}")
    Song get(@PathVariable String id) {
        return songs.get(id).orElseThrow(() -> new ErrorResponseException(HttpStatus.NOT_FOUND));
    }

    @GetMapping("/songs/{id}/audio")
    ResponseEntity<byte[]> hear(
            @PathVariable String id, HttpMethod method, @RequestHeader HttpHeaders asked)
            throws IOException {
        byte[] sound = songs.audio(id)
                .orElseThrow(() -> new ErrorResponseException(HttpStatus.NOT_FOUND));
        HttpHeaders headers = new HttpHeaders();
        headers.set(HttpHeaders.ACCEPT_RANGES, "bytes");
        headers.set(HttpHeaders.CONTENT_TYPE, "audio/wav");
        ByteRange range = ByteRange.of(asked, sound.length).orElse(null);
        if (range == null || method != HttpMethod.GET) {
            return new ResponseEntity<>(sound, headers, HttpStatus.OK);
        }
        if (range.start() >= sound.length) {
            throw Problems.with(HttpStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
                    HttpHeaders.CONTENT_RANGE, "bytes */" + sound.length);
        }
        headers.set(HttpHeaders.CONTENT_RANGE,
                "bytes %d-%d/%d".formatted(range.start(), range.end() - 1, sound.length));
        byte[] part = Arrays.copyOfRange(sound, range.start(), range.end());
        return new ResponseEntity<>(part, headers, HttpStatus.PARTIAL_CONTENT);
    }
}
