package tandem.foreign;

/** Ends the run; the text is for whoever called it. */
final class Failure extends Exception {
    private static final long serialVersionUID = 1;

    Failure(String text) {
        super(text);
    }

    /** Other libraries' words may have several lines; what is told here is one line. */
    Failure(String text, Throwable cause) {
        super((text + ": " + (cause instanceof Failure ? cause.getMessage() : cause)).replaceAll("\\s+", " "), cause);
    }
}
