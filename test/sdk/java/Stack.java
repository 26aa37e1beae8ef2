import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An API instance of the driver's own, which can go away and come back at the same port, and the
 * database asked with psql.
 */
final class Stack {
    static final String CLIENT_KEY = System.getenv("CLIENT_KEY"), SERVER_KEY = System.getenv("SERVER_KEY");
    static final Map<String, Object> TRAITS = Map.of("plan", "pro", "orders", 73, "rating", 4.5, "newsletter", true);
    static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern LISTENING = Pattern.compile("\"event\":\"listening\",\"port\":(\\d+)");
    private static Process process;
    private static String port = "0";

    private Stack() {
    }

    static String url() {
        return "http://127.0.0.1:" + port;
    }

    /** Starts the instance unless it is there. */
    static void start() throws IOException {
        if (process != null && process.isAlive()) {
            return;
        }
        process = new ProcessBuilder(System.getenv("API_PROGRAM"), "--port", port, "--database", System.getenv("API_DATABASE"))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        BufferedReader log = process.errorReader();
        for (String line = log.readLine(); line != null; line = log.readLine()) {
            Matcher found = LISTENING.matcher(line);
            if (found.find()) {
                port = found.group(1);
                break;
            }
        }
        Thread reader = new Thread(() -> readOn(log));
        reader.setDaemon(true);
        reader.start();
    }

    /** Reads what else the instance logs, or the pipe would be full one day; stop() closes it. */
    private static void readOn(BufferedReader log) {
        try {
            while (log.readLine() != null) {
            }
        } catch (IOException closed) {
            return;
        }
    }

    static void stop() throws InterruptedException {
        process.destroy();
        process.waitFor();
    }

    static String sql(String query) throws IOException, InterruptedException {
        Process psql = new ProcessBuilder("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", query)
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String answer = new String(psql.getInputStream().readAllBytes()).trim();
        check(psql.waitFor() == 0, "psql failed");
        return answer;
    }

    static JsonNode stored(String identifier) throws IOException, InterruptedException {
        return JSON.readTree(sql("SELECT coalesce((SELECT traits FROM flagsmith.identity WHERE identifier = '"
                + identifier + "'), 'null')"));
    }

    static String identities() throws IOException, InterruptedException {
        return sql("SELECT count(*) FROM flagsmith.identity");
    }

    static long counted() throws IOException, InterruptedException {
        return Long.parseLong(sql("SELECT coalesce(sum(count), 0) FROM flagsmith.feature_evaluation e"
                + " JOIN flagsmith.feature f ON f.id = e.feature_id WHERE name = 'photo_search'"));
    }

    /** Waits for seven more counts than before, and that there are no more. */
    static void awaitCounts(long before) throws IOException, InterruptedException {
        for (long end = System.nanoTime() + 25_000_000_000L; counted() < before + 7 && System.nanoTime() < end;) {
            Thread.sleep(200);
        }
        Thread.sleep(1000);
        same(counted() - before, 7L);
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }

    static void same(Object found, Object expected) {
        check(expected.equals(found), "found " + found + ", expected " + expected);
    }

    /** Runs what must throw. */
    static void fails(Driver.Check work) {
        try {
            work.run();
        } catch (Exception expected) {
            return;
        }
        throw new AssertionError("no error");
    }
}
