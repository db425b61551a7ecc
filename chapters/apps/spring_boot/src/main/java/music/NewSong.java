// A song that a client adds, and the rules for it.
package music;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

import com.fasterxml.jackson.annotation.JsonCreator;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Size;
import org.hibernate.validator.constraints.Range;

record NewSong(
        @NotNull(message = TITLE)
        @Pattern(regexp = "(?s)(?=.*[A-Za-z0-9])" + TEXT + "{1,100}", message = TITLE)
        String title,

        @NotNull(message = COMPOSER)
        @Pattern(regexp = TEXT + "{1,100}", message = COMPOSER)
        String composer,

        @NotNull(message = YEAR)
        @Range(min = 1, max = 2100, message = YEAR)
        Integer year,

        @NotNull(message = GENRE)
        @Pattern(regexp = TEXT + "{1,40}", message = GENRE)
        String genre,

        @Size(max = 0, message = "A field that a song does not have.")
        Set<String> others) {

    // no control characters, no halves of surrogate pairs; @Size would count an emoji as two
    private static final String TEXT = "[^\\p{Cc}\\p{Cs}]";

    private static final String TITLE = "A text of 1 to 100 characters"
            + " with a letter from a to z or a digit, and without control characters.";
    private static final String COMPOSER =
            "A text of 1 to 100 characters, without control characters.";
    private static final String YEAR = "A whole number from 1 to 2100.";
    private static final String GENRE = "A text of 1 to 40 characters, without control characters.";

    /** A value of another type is null here: Jackson would make the text "1" of the number 1. */
    @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
    static NewSong of(Map<String, Object> json) {
        Map<String, Object> rest = new HashMap<>(json);
        return new NewSong(text(rest.remove("title")), text(rest.remove("composer")),
                whole(rest.remove("year")), text(rest.remove("genre")), rest.keySet());
    }

    private static String text(Object value) {
        return value instanceof String text ? text : null;
    }

    private static Integer whole(Object value) {
        double number = value instanceof Number some ? some.doubleValue() : Double.NaN;
        return number == Math.rint(number) ? (int) number : null; // 1810.0 is 1810
    }
}
