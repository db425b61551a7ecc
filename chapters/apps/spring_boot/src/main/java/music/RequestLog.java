// Gives every request an id, times it, and writes a line about it.
package music;

import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

import jakarta.servlet.FilterChain;
import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.util.ContentCachingResponseWrapper;

@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
class RequestLog extends OncePerRequestFilter {

    private static final Logger log = LoggerFactory.getLogger("music");

    private final HandlerExceptionResolver problems;

    RequestLog(@Qualifier("handlerExceptionResolver") HandlerExceptionResolver problems) {
        this.problems = problems;
    }

    @Override
    protected void doFilterInternal(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException {
        long begun = System.nanoTime();
        Object refused = request.getAttribute(RequestDispatcher.FORWARD_REQUEST_URI);
        Object path = refused == null ? request.getRequestURI() : refused;
        request.removeAttribute(RequestDispatcher.FORWARD_REQUEST_URI); // Spring would decode it
        String id = Optional.ofNullable(request.getHeader("X-Request-Id"))
                .filter(sent -> sent.matches("[A-Za-z0-9._-]{1,64}"))
                .orElseGet(() -> UUID.randomUUID().toString());
        // keeps the body back: a header field can't be set any more once it is on its way
        var answer = new ContentCachingResponseWrapper(response);
        try (var inEveryLine = MDC.putCloseable("id", id)) {
            try {
                chain.doFilter(request, answer);
            } catch (Exception exception) {
                answer.reset();
                problems.resolveException(request, answer, null, exception);
            }
            double took = Math.round((System.nanoTime() - begun) / 1e5) / 10.0; // milliseconds
            answer.setHeader("X-Request-Id", id);
            answer.setHeader("Server-Timing", "app;dur=" + took);
            log.atInfo()
                    .addKeyValue("method", request.getMethod())
                    .addKeyValue("path", path)
                    .addKeyValue("status", answer.getStatus())
                    .addKeyValue("ms", took)
                    .log("request");
            answer.copyBodyToResponse();
        }
    }

    /** Also what Tomcat refuses, and WebConfig sends here all the same. */
    @Override
    protected boolean shouldNotFilterErrorDispatch() {
        return false;
    }
}
