// Settings of the application, as application.yaml names them.
package music;

import java.nio.file.Path;

import org.springframework.boot.context.properties.ConfigurationProperties;

@ConfigurationProperties("music")
record Settings(Path data, int largestBody) {
}
