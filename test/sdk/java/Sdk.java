import static java.util.Map.of;

import com.flagsmith.FlagsmithClient;
import com.flagsmith.config.FlagsmithConfig;
import com.flagsmith.models.BaseFlag;
import com.flagsmith.models.Flags;
import com.flagsmith.models.TraitConfig;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The checks of the SDK itself. */
final class Sdk {
    private Sdk() {
    }

    private static FlagsmithClient client(String key, boolean local, boolean analytics) {
        FlagsmithConfig config = FlagsmithConfig.newBuilder().baseUri(Stack.url() + "/api/v1/")
                .withLocalEvaluation(local).withEnableAnalytics(analytics).build();
        return FlagsmithClient.newBuilder().setApiKey(key).withConfiguration(config).build();
    }

    private static FlagsmithClient client() {
        return client(Stack.CLIENT_KEY, false, false);
    }

    private static Map<String, List<Object>> flagsOf(Flags flags) {
        Map<String, List<Object>> found = new TreeMap<>();
        for (BaseFlag flag : flags.getAllFlags()) {
            found.put(flag.getFeatureName(), Arrays.asList(flag.getEnabled(), flag.getValue()));
        }
        return found;
    }

    private static Object price(Flags flags) throws Exception {
        return flags.getFeatureValue("free_shipping_from");
    }

    private static void environmentFlags() throws Exception {
        Flags flags = client().getEnvironmentFlags();
        Stack.same(price(flags), 40);
        Stack.check(!flagsOf(flags).containsKey("fraud_score_limit"), "a client key gets a server's flag");
        Map<String, ?> all = flagsOf(client(Stack.SERVER_KEY, false, false).getEnvironmentFlags());
        Stack.check(all.containsKey("fraud_score_limit"), "a server key does not get its flag");
    }

    private static void identityTraits() throws Exception {
        Stack.same(price(client().getIdentityFlags("java-traits", Stack.TRAITS)), 0);
        Stack.same(Stack.stored("java-traits"), Stack.JSON.valueToTree(Stack.TRAITS));
    }

    private static void transientIdentity() throws Exception {
        client().getIdentityFlags("java-transient", Stack.TRAITS, true);
        Stack.check(Stack.stored("java-transient").isNull(), "it is stored");
    }

    private static void transientTrait() throws Exception {
        client().getIdentityFlags("java-mixed", of("plan", "pro", "orders", new TraitConfig(3, true)));
        Stack.same(Stack.stored("java-mixed"), Stack.JSON.valueToTree(of("plan", "pro")));
    }

    private static void traitRemoved() throws Exception {
        client().getIdentityFlags("java-removed", Stack.TRAITS);
        client().getIdentityFlags("java-removed", Collections.singletonMap("plan", null));
        Stack.check(!Stack.stored("java-removed").has("plan"), "the trait is there");
        Stack.same(Stack.stored("java-removed").get("orders").asInt(), 73);
    }

    private static void localEvaluation() throws Exception {
        FlagsmithClient local = client(Stack.SERVER_KEY, true, false), remote = client(Stack.SERVER_KEY, false, false);
        for (int n = 0; n < 1000; n++) {
            Map<String, Object> traits = of("plan", n % 3 == 0 ? "free" : "pro", "country", List.of("SE", "NL", "FI").get(n % 3),
                    "orders", n, "beta", n % 2 == 0);
            Map<String, ?> here = flagsOf(local.getIdentityFlags("java-local-" + n, traits));
            Stack.same(here, flagsOf(remote.getIdentityFlags("java-local-" + n, traits, true)));
        }
        Stack.check(Stack.stored("java-local-1").isNull(), "it is stored");
        local.close();
    }

    private static void analyticsOnce() throws Exception {
        long before = Stack.counted();
        Flags flags = client(Stack.CLIENT_KEY, false, true).getEnvironmentFlags();
        for (int n = 0; n < 7; n++) {
            flags.isFeatureEnabled("photo_search");
        }
        flags.getAnalyticsProcessor().flush();
        Stack.awaitCounts(before);
    }

    private static void wrongKey() {
        Stack.fails(() -> client("no-such-key", false, false).getEnvironmentFlags());
    }

    private static void serverReturns() throws Exception {
        FlagsmithClient client = client();
        client.getEnvironmentFlags();
        Stack.stop();
        Stack.fails(client::getEnvironmentFlags);
        Stack.start();
        Stack.same(price(client.getEnvironmentFlags()), 40);
    }

    static Map<String, Object> checks() {
        Map<String, Object> checks = new LinkedHashMap<>();
        checks.put("environment_flags", (Driver.Check) Sdk::environmentFlags);
        checks.put("identity_traits", (Driver.Check) Sdk::identityTraits);
        checks.put("transient_identity", (Driver.Check) Sdk::transientIdentity);
        checks.put("transient_trait", (Driver.Check) Sdk::transientTrait);
        checks.put("trait_removed", (Driver.Check) Sdk::traitRemoved);
        checks.put("anonymous", "the SDK refuses an empty identifier");
        checks.put("local_evaluation", (Driver.Check) Sdk::localEvaluation);
        checks.put("analytics_once", (Driver.Check) Sdk::analyticsOnce);
        checks.put("wrong_key", (Driver.Check) Sdk::wrongKey);
        checks.put("server_returns", (Driver.Check) Sdk::serverReturns);
        checks.put("realtime", "the SDK polls");
        return checks;
    }
}
