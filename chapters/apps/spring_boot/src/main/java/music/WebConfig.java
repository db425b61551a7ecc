// What Tomcat and Spring MVC do otherwise unless they are told.
package music;

import java.io.IOException;
import java.util.Collection;

import jakarta.servlet.ServletException;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ValveBase;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.error.ErrorPage;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.format.FormatterRegistry;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.web.servlet.config.annotation.ContentNegotiationConfigurer;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.json.JsonMapper;

@Configuration
class WebConfig implements WebMvcConfigurer {

    @Override
    public void configureContentNegotiation(ContentNegotiationConfigurer negotiation) {
        negotiation.ignoreAcceptHeader(true).defaultContentType(MediaType.APPLICATION_JSON);
    }

    @Override
    public void addFormatters(FormatterRegistry registry) {
        registry.removeConvertible(String.class, Collection.class); // "a,b" is one text
    }

    /** Jackson reads no number of more than 1,000 digits, and no name of more than 50,000. */
    @Bean
    JsonMapper json(Settings settings) {
        StreamReadConstraints constraints = StreamReadConstraints.builder()
                .maxNumberLength(settings.largestBody())
                .maxNameLength(settings.largestBody())
                .build();
        return new JsonMapper(JsonFactory.builder().streamReadConstraints(constraints).build());
    }

    @Bean
    WebServerFactoryCustomizer<TomcatServletWebServerFactory> tomcat() {
        return factory -> {
            factory.addConnectorCustomizers(connector -> connector.setAllowTrace(true));
            factory.addEngineValves(new Refusals());
            factory.addErrorPages(new ErrorPage(HttpStatus.NOT_FOUND, "/nowhere"));
        };
    }

    /** An address that Tomcat can't decode, like /songs/%00, is 400 and no application's to it. */
    private static class Refusals extends ValveBase {

        Refusals() {
            super(true);
        }

        @Override
        public void invoke(Request request, Response response)
                throws IOException, ServletException {
            if (request.getContext() == null && response.isSuspended()) {
                request.getMappingData().context = (Context) request.getHost().findChild("");
                response.setStatus(HttpStatus.NOT_FOUND.value());
            }
            getNext().invoke(request, response);
        }
    }
}
