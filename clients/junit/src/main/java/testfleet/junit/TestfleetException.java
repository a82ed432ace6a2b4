package testfleet.junit;

import java.util.Map;

/** A failure that a person can fix. docs/failures.md lists the codes. */
public class TestfleetException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String code;
    private final String hint;

    TestfleetException(String code, String message, String hint) {
        this(code, message, hint, hint == null ? message : message + "\nhint: " + hint);
    }

    private TestfleetException(String code, String message, String hint, String text) {
        // The message says what to do; where this client found out does not help.
        super(text, null, false, false);
        this.code = code;
        this.hint = hint;
    }

    /** Reads the error of a document or of an answer. {@code told} is what the command has printed about it. */
    static TestfleetException from(Object error, String told) {
        Map<String, Object> fields = Json.object(error);
        String message = fields.get("message") instanceof String text ? text : "testfleet failed without a message";
        String code = fields.get("code") instanceof String text ? text : "";
        String hint = fields.get("hint") instanceof String text ? text : null;
        String text = told.startsWith("error: ") ? told.substring("error: ".length()).stripTrailing() : "";
        return text.isEmpty()
                ? new TestfleetException(code, message, hint)
                : new TestfleetException(code, message, hint, text);
    }

    static TestfleetException tooOld(String missing) {
        return new TestfleetException(
                "",
                "this testfleet is too old: the answer of `share` has no `" + missing + "`",
                "Install the testfleet of the same release.");
    }

    /** A stable code; empty for a mistake in testfleet itself. */
    public String code() {
        return code;
    }

    /** What to do, or null. */
    public String hint() {
        return hint;
    }
}
