// Which part of a file a request asks for (RFC 9110, section 14.2).
package music;

import java.math.BigInteger;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.springframework.http.HttpHeaders;

/** The first byte and the one after the last. */
record ByteRange(int start, int end) {

    private static final Pattern RANGE = Pattern.compile("(?i)bytes=([0-9]*)-([0-9]*)");

    /** Empty if the whole file is to be sent. */
    static Optional<ByteRange> of(HttpHeaders headers, int size) {
        String text = Objects.requireNonNullElse(headers.getFirst(HttpHeaders.RANGE), "");
        Matcher found = RANGE.matcher(text);
        if (!found.matches() || text.endsWith("=-")
                || headers.containsHeader(HttpHeaders.IF_RANGE)) {
            return Optional.empty();
        }
        String first = found.group(1);
        String last = found.group(2);
        if (first.isEmpty()) {
            return Optional.of(new ByteRange(size - atMost(size, last), size));
        }
        if (!last.isEmpty() && new BigInteger(last).compareTo(new BigInteger(first)) < 0) {
            return Optional.empty();
        }
        int end = last.isEmpty() ? size : atMost(size - 1, last) + 1;
        return Optional.of(new ByteRange(atMost(size, first), end));
    }

    /** The number may be longer than any that Java counts with. */
    private static int atMost(int most, String number) {
        return new BigInteger(number).min(BigInteger.valueOf(most)).intValue();
    }
}
