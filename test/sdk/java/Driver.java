import java.util.LinkedHashMap;
import java.util.Map;

/** Drives the official Java SDK and the providers of OpenFeature; test/sdk/README.md says how the checks are told. */
final class Driver {
    /** A check, which throws where it fails. */
    interface Check {
        void run() throws Exception;
    }

    private Driver() {
    }

    /** Runs the checks of one SDK; one that is a text is the reason why the SDK has no such check. */
    private static void drive(String sdk, String version, Map<String, Object> checks) throws Exception {
        for (Map.Entry<String, Object> entry : checks.entrySet()) {
            String result = "ok", note = "";
            if (entry.getValue() instanceof String reason) {
                result = "none";
                note = reason;
            } else {
                try {
                    Stack.start();
                    ((Check) entry.getValue()).run();
                } catch (Exception | AssertionError error) {
                    result = "failed";
                    note = error.toString();
                }
            }
            Map<String, Object> line = new LinkedHashMap<>();
            line.put("sdk", sdk);
            line.put("version", version);
            line.put("check", entry.getKey());
            line.put("result", result);
            line.put("note", note.substring(0, Math.min(300, note.length())));
            System.out.println(Stack.JSON.writeValueAsString(line));
        }
    }

    /** The versions are those of the jars that the class path names. */
    private static String versionOf(String jar) {
        String path = System.getProperty("java.class.path");
        java.util.regex.Matcher found = java.util.regex.Pattern.compile("/" + jar + "-([0-9.]+)\\.jar").matcher(path);
        return found.find() ? found.group(1) : "?";
    }

    public static void main(String[] arguments) throws Exception {
        drive("Java flagsmith-java-client", versionOf("flagsmith-java-client"), Sdk.checks());
        drive("OFREP provider (Java)", versionOf("ofrep"), Providers.ofrep());
        drive("OpenFeature flagsmith provider (Java)", versionOf("flagsmith"), Providers.flagsmith());
        Stack.stop();
        System.exit(0); // the SDK's threads go on
    }
}
