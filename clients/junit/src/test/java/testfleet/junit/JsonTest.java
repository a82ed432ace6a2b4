package testfleet.junit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class JsonTest {
    @Test
    void readsEachKindOfValueAndKeepsTheOrderOfKeys() {
        assertEquals(
                Map.of("a", Arrays.asList(1.0, -2.5e3, true, false, null), "b", Map.of(), "c", List.of()),
                Json.read(" { \"a\" : [1, -2.5e3, true, false, null], \"b\":{}, \"c\": [ ] } "));
        assertEquals(List.of("z", "a", "m"), new ArrayList<>(Json.object(Json.read("{\"z\":1,\"a\":2,\"m\":3}")).keySet()));
        assertEquals("\"\\/\b\f\n\r\té😀", Json.read("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\""));
    }

    @Test
    void quotesWhatItCanReadAgain() {
        String text = "a\"b\\c\n\u0001é😀";
        assertEquals(text, Json.read(Json.quote(text)));
    }

    @Test
    void refusesWhatIsNoJson() {
        for (String text : List.of("", "{", "[1,]", "{\"a\"}", "{a:1}", "1 2", "\"a", "\"\n\"", "\"\\x\"", "\"\\u12g4\"", "tru", "1e", "--")) {
            assertThrows(IllegalArgumentException.class, () -> Json.read(text), text);
        }
        assertThrows(IllegalArgumentException.class, () -> Json.read("[".repeat(100_000)));
    }
}
