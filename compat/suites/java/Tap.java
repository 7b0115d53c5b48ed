import java.util.Objects;
import java.util.concurrent.Callable;

/** Deeds become lines of TAP, one each, at once. */
final class Tap {
    interface Deed {
        void run() throws Exception;
    }

    private static boolean failed = false;

    static void check(String name, Deed deed) {
        try {
            deed.run();
            System.out.println("ok " + name);
        } catch (Throwable error) {
            failed = true;
            error.printStackTrace();
            System.out.println("not ok " + name + " - " + error.toString().replaceAll("\\s+", " "));
        }
        System.out.flush();
    }

    static void equal(Object found, Object wanted) {
        if (!Objects.equals(found, wanted)) {
            throw new AssertionError(found + " instead of " + wanted);
        }
    }

    /** Asks again and again until the answer is yes; the condition may itself wait a little. */
    static void until(String what, int seconds, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + seconds * 1_000_000_000L;
        while (!condition.call()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError(what + ": not within " + seconds + " seconds");
            }
            Thread.sleep(20);
        }
    }

    static void finish() {
        System.exit(failed ? 1 : 0);
    }
}
