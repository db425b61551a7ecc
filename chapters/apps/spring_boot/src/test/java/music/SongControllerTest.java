// The application's own tests. To run them: mvn test
package music;

import java.util.Optional;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.test.context.bean.override.mockito.MockitoBean;
import org.springframework.test.web.servlet.assertj.MockMvcTester;

import static org.assertj.core.api.Assertions.assertThat;
import static org.mockito.Mockito.when;

@SpringBootTest
@AutoConfigureMockMvc
class SongControllerTest {

    @Autowired
    MockMvcTester client;

    @MockitoBean
    Songs songs;

    @BeforeEach
    void oneSong() {
        Song song = new Song("a-song", "A song", "A Reader", 2026, "study");
        when(songs.get("a-song")).thenReturn(Optional.of(song));
    }

    @Test
    void aSongIsFoundByItsId() {
        assertThat(client.get().uri("/songs/a-song"))
                .bodyJson().extractingPath("title").isEqualTo("A song");
    }

    @Test
    void anUnknownSongIsAProblem() {
        assertThat(client.get().uri("/songs/no-such-song"))
                .hasStatus(404).hasContentType("application/problem+json");
    }
}
