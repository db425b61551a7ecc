// A body has to be JSON in UTF-8, all of it, and not too large, before anything in it is read.
package music;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Pattern;

import org.springframework.core.MethodParameter;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpInputMessage;
import org.springframework.http.HttpStatus;
import org.springframework.http.converter.HttpMessageConverter;
import org.springframework.web.ErrorResponseException;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.servlet.mvc.method.annotation.RequestBodyAdviceAdapter;
import tools.jackson.core.JacksonException;
import tools.jackson.core.exc.StreamConstraintsException;
import tools.jackson.databind.json.JsonMapper;

@RestControllerAdvice
class StrictBody extends RequestBodyAdviceAdapter {

    private static final Pattern JSON_IN_UTF_8 =
            Pattern.compile("(?i)application/json[ \\t]*(;[ \\t]*charset=(utf-8|\"utf-8\")[ \\t]*)?");

    private final Settings settings;
    private final JsonMapper json;

    StrictBody(Settings settings, JsonMapper json) {
        this.settings = settings;
        this.json = json;
    }

    @Override
    public boolean supports(MethodParameter parameter, Type type,
            Class<? extends HttpMessageConverter<?>> converter) {
        return true;
    }

    @Override
    public HttpInputMessage beforeBodyRead(HttpInputMessage message, MethodParameter parameter,
            Type type, Class<? extends HttpMessageConverter<?>> converter) throws IOException {
        checkHeaders(message.getHeaders());
        byte[] body = message.getBody().readNBytes(settings.largestBody() + 1);
        if (body.length > settings.largestBody()) {
            throw new ErrorResponseException(HttpStatus.CONTENT_TOO_LARGE);
        }
        // fails if it is not UTF-8, and that is a 400; Jackson would read UTF-16 and UTF-32 too
        checkJson(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString());
        return new Body(message.getHeaders(), new ByteArrayInputStream(body));
    }

    @Override
    public Object handleEmptyBody(Object body, HttpInputMessage message, MethodParameter parameter,
            Type type, Class<? extends HttpMessageConverter<?>> converter) {
        checkHeaders(message.getHeaders());
        return body;
    }

    private static void checkHeaders(HttpHeaders headers) {
        if (!JSON_IN_UTF_8.matcher(headers.getFirst(HttpHeaders.CONTENT_TYPE)).matches()) {
            throw Problems.with(HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                    HttpHeaders.ACCEPT, "application/json");
        }
        if (headers.containsHeader(HttpHeaders.CONTENT_ENCODING)
                && !"identity".equals(headers.getFirst(HttpHeaders.CONTENT_ENCODING))) {
            throw Problems.with(HttpStatus.UNSUPPORTED_MEDIA_TYPE,
                    HttpHeaders.ACCEPT_ENCODING, "identity");
        }
    }

    private void checkJson(String text) {
        try {
            String withoutMark = text.startsWith("\uFEFF") ? text.substring(1) : text;
            if (!(json.readValue(withoutMark, Object.class) instanceof Map)) {
                throw new Problems.NoSong();
            }
        } catch (StreamConstraintsException tooDeep) {
            throw new Problems.NoSong();
        } catch (JacksonException notJson) {
            throw new ErrorResponseException(HttpStatus.BAD_REQUEST);
        }
    }

    private record Body(HttpHeaders getHeaders, InputStream getBody) implements HttpInputMessage {
    }
}
