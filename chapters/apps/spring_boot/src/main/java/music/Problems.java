// Errors as problem details (RFC 9457).
package music;

import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

import com.fasterxml.jackson.annotation.JsonInclude;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpHeaders;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.ErrorResponseException;
import org.springframework.web.HttpRequestMethodNotSupportedException;
import org.springframework.web.bind.MethodArgumentNotValidException;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.context.request.WebRequest;
import org.springframework.web.method.annotation.HandlerMethodValidationException;
import org.springframework.web.servlet.mvc.method.annotation.ResponseEntityExceptionHandler;

@RestControllerAdvice
class Problems extends ResponseEntityExceptionHandler {

    private static final Logger log = LoggerFactory.getLogger("music");

    private static final Map<Integer, String> DETAILS = Map.of(
            400, "The body is not JSON.",
            404, "There is nothing at this address.",
            405, "This address takes only the methods that Allow lists.",
            409, "There is a song with this id already.",
            413, "The body is larger than this service takes.",
            415, "This address takes only JSON in UTF-8.",
            416, "The range begins after the end of the audio.",
            422, "The request can be read, but something in it does not fit.",
            500, "The service made a mistake.");

    // ProblemDetail would have `instance` too
    record Problem(String type, String title, int status, String detail,
            @JsonInclude(JsonInclude.Include.NON_NULL) List<Misfit> errors) {
    }

    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Misfit(String pointer, String parameter, String detail) {

        String place() {
            return pointer == null ? parameter : pointer;
        }
    }

    /** The body is JSON, but no song at all. */
    static class NoSong extends RuntimeException {
    }

    static ErrorResponseException with(HttpStatus status, String header, String value) {
        ErrorResponseException exception = new ErrorResponseException(status);
        exception.getHeaders().set(header, value);
        return exception;
    }

    @Override
    protected ResponseEntity<Object> handleExceptionInternal(Exception exception, Object body,
            HttpHeaders headers, HttpStatusCode status, WebRequest request) {
        if (status.is5xxServerError()) {
            log.error("failed", exception);
        }
        return problem(status.value(), headers, null);
    }

    @ExceptionHandler
    ResponseEntity<Object> handleUnexpected(Exception exception, WebRequest request) {
        return handleExceptionInternal(exception, null, HttpHeaders.EMPTY,
                HttpStatus.INTERNAL_SERVER_ERROR, request);
    }

    @Override
    protected ResponseEntity<Object> handleHttpRequestMethodNotSupported(
            HttpRequestMethodNotSupportedException exception, HttpHeaders headers,
            HttpStatusCode status, WebRequest request) {
        Set<HttpMethod> allowed = new LinkedHashSet<>(exception.getSupportedHttpMethods());
        if (allowed.contains(HttpMethod.GET)) {
            allowed.add(HttpMethod.HEAD); // which Spring MVC answers, but does not list
        }
        headers.setAllow(allowed);
        return problem(status.value(), headers, null);
    }

    @Override
    protected ResponseEntity<Object> handleMethodArgumentNotValid(
            MethodArgumentNotValidException exception, HttpHeaders headers,
            HttpStatusCode status, WebRequest request) {
        return misfits(exception.getFieldErrors().stream().map(error -> new Misfit(
                error.getField().equals("others") ? "#" : "#/" + error.getField(), null,
                error.getDefaultMessage())));
    }

    @Override
    protected ResponseEntity<Object> handleHandlerMethodValidationException(
            HandlerMethodValidationException exception, HttpHeaders headers,
            HttpStatusCode status, WebRequest request) {
        return misfits(exception.getParameterValidationResults().stream()
                .flatMap(result -> result.getResolvableErrors().stream().map(error -> new Misfit(
                        null, result.getMethodParameter().getParameterName(),
                        error.getDefaultMessage()))));
    }

    @ExceptionHandler
    ResponseEntity<Object> handleNoSong(NoSong exception) {
        return misfits(Stream.of(new Misfit("#", null, "A song is a JSON object.")));
    }

    private static ResponseEntity<Object> misfits(Stream<Misfit> misfits) {
        List<Misfit> eachOnce =
                misfits.distinct().sorted(Comparator.comparing(Misfit::place)).toList();
        return problem(422, HttpHeaders.EMPTY, eachOnce);
    }

    private static ResponseEntity<Object> problem(
            int status, HttpHeaders headers, List<Misfit> errors) {
        String title = status == 416 ? "Range Not Satisfiable"
                : HttpStatus.valueOf(status).getReasonPhrase();
        return ResponseEntity.status(status).headers(headers)
                .contentType(MediaType.APPLICATION_PROBLEM_JSON)
                .body(new Problem("about:blank", title, status, DETAILS.get(status), errors));
    }
}
