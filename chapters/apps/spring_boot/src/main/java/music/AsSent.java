// Shows Spring MVC a request as it was sent: `;`, OPTIONS and TRACE have no meaning of their own.
package music;

import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletRequestWrapper;
import jakarta.servlet.http.HttpServletResponse;
import org.springframework.stereotype.Component;
import org.springframework.util.LinkedMultiValueMap;
import org.springframework.util.MultiValueMap;
import org.springframework.web.filter.OncePerRequestFilter;

@Component
class AsSent extends OncePerRequestFilter {

    @Override
    protected void doFilterInternal(
            HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        chain.doFilter(new PlainRequest(request), response);
    }

    private static class PlainRequest extends HttpServletRequestWrapper {

        private final MultiValueMap<String, String> query = new LinkedMultiValueMap<>();

        PlainRequest(HttpServletRequest request) {
            super(request);
            String text = request.getQueryString() == null ? "" : request.getQueryString();
            for (String parameter : text.split("&")) {
                String[] parts = parameter.split("=", 2);
                query.add(decode(parts[0]), parts.length == 1 ? "" : decode(parts[1]));
            }
        }

        /** Spring MVC answers OPTIONS and TRACE itself; with 405 what it does not know. */
        @Override
        public String getMethod() {
            String method = super.getMethod();
            return method.equals("OPTIONS") || method.equals("TRACE") ? "no-" + method : method;
        }

        /** Spring MVC leaves out of a path what is after a semicolon. */
        @Override
        public String getRequestURI() {
            return super.getRequestURI().replace(";", "%3B");
        }

        /** Tomcat fails at a query that is not UTF-8. */
        @Override
        public String[] getParameterValues(String name) {
            return query.containsKey(name) ? query.get(name).toArray(String[]::new) : null;
        }

        private static String decode(String text) {
            try {
                return URLDecoder.decode(text, StandardCharsets.UTF_8);
            } catch (IllegalArgumentException notEncoded) {
                return text;
            }
        }
    }
}
