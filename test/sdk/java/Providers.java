import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableMap;
import dev.openfeature.contrib.providers.flagsmith.FlagsmithProvider;
import dev.openfeature.contrib.providers.flagsmith.FlagsmithProviderOptions;
import dev.openfeature.contrib.providers.ofrep.OfrepProvider;
import dev.openfeature.contrib.providers.ofrep.OfrepProviderOptions;
import dev.openfeature.sdk.Client;
import dev.openfeature.sdk.EvaluationContext;
import dev.openfeature.sdk.FeatureProvider;
import dev.openfeature.sdk.ImmutableContext;
import dev.openfeature.sdk.MutableContext;
import dev.openfeature.sdk.OpenFeatureAPI;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The checks of the providers of OpenFeature: of its remote evaluation protocol, and Flagsmith's own. */
final class Providers {
    private Providers() {
    }

    private static Client use(FeatureProvider provider) {
        OpenFeatureAPI.getInstance().setProviderAndWait(provider);
        return OpenFeatureAPI.getInstance().getClient();
    }

    private static Client remote(String key) {
        return use(OfrepProvider.constructProvider(OfrepProviderOptions.builder().baseUrl(Stack.url())
                .headers(ImmutableMap.of("X-Environment-Key", ImmutableList.of(key))).build()));
    }

    private static Client own(String key, boolean local, boolean analytics) {
        return use(new FlagsmithProvider(FlagsmithProviderOptions.builder().apiKey(key).baseUri(Stack.url() + "/api/v1/")
                .localEvaluation(local).enableAnalytics(analytics).build()));
    }

    private static EvaluationContext withTraits(String identifier) {
        return new MutableContext(identifier).add("plan", "pro").add("orders", 73).add("rating", 4.5).add("newsletter", true);
    }

    private static int price(Client client, EvaluationContext context) {
        return client.getIntegerValue("free_shipping_from", 7, context);
    }

    private static void serverReturns(Client client, EvaluationContext context) throws Exception {
        Stack.same(price(client, context), 40);
        Stack.stop();
        Stack.same(price(client, context), 7);
        Stack.start();
        Stack.same(price(client, context), 40);
    }

    private static void anonymous(Client client, int expected) throws Exception {
        String before = Stack.identities();
        Stack.same(price(client, new MutableContext().add("plan", "pro")), expected);
        Stack.same(Stack.identities(), before);
    }

    static Map<String, Object> ofrep() {
        EvaluationContext someone = new ImmutableContext("x");
        Map<String, Object> checks = new LinkedHashMap<>();
        checks.put("environment_flags", (Driver.Check) () -> Stack.same(price(remote(Stack.CLIENT_KEY), someone), 40));
        checks.put("identity_traits", (Driver.Check) () -> Stack.same(price(remote(Stack.CLIENT_KEY), withTraits("x")), 0));
        checks.put("transient_identity", "OFREP stores nothing");
        checks.put("transient_trait", "OFREP stores nothing");
        checks.put("trait_removed", "OFREP stores nothing");
        checks.put("anonymous", (Driver.Check) () -> anonymous(remote(Stack.CLIENT_KEY), 0));
        checks.put("local_evaluation", "OFREP asks for each flag");
        checks.put("analytics_once", "OFREP does not count");
        checks.put("wrong_key", (Driver.Check) () -> Stack.same(price(remote("no-such-key"), someone), 7));
        checks.put("server_returns", (Driver.Check) () -> serverReturns(remote(Stack.CLIENT_KEY), someone));
        checks.put("realtime", "OFREP asks for each flag");
        return checks;
    }

    private static void environmentFlags() {
        EvaluationContext nobody = new ImmutableContext();
        Client client = own(Stack.CLIENT_KEY, false, false);
        Stack.same(price(client, nobody), 40);
        Stack.same(client.getIntegerValue("fraud_score_limit", 7, nobody), 7);
        Stack.same(own(Stack.SERVER_KEY, false, false).getIntegerValue("fraud_score_limit", 7, nobody), 70);
    }

    private static void identityTraits() throws Exception {
        Stack.same(price(own(Stack.CLIENT_KEY, false, false), withTraits("java-of")), 0);
        for (Map.Entry<String, Object> given : Stack.TRAITS.entrySet()) {
            Stack.same(Stack.stored("java-of").get(given.getKey()), Stack.JSON.valueToTree(given.getValue()));
        }
    }


    private static void localEvaluation() {
        List<List<String>> answers = new ArrayList<>();
        for (boolean local : new boolean[] {true, false}) {
            Client client = own(Stack.SERVER_KEY, local, false);
            List<String> found = new ArrayList<>();
            for (int n = 0; n < 1000; n++) {
                EvaluationContext context = new MutableContext("java-of-" + n).add("orders", n)
                        .add("country", List.of("SE", "NL", "FI").get(n % 3));
                found.add(client.getBooleanValue("express_checkout", false, context) + " "
                        + client.getStringValue("checkout_button", "", context));
            }
            answers.add(found);
        }
        Stack.same(answers.get(0), answers.get(1));
        Stack.same(new HashSet<>(answers.get(0)).size(), 6); // two states, three values
    }

    private static void analyticsOnce() throws Exception {
        long before = Stack.counted();
        Client client = own(Stack.CLIENT_KEY, false, true);
        for (int n = 0; n < 7; n++) {
            if (n == 6) {
                Thread.sleep(11_000); // the SDK sends with the first use after ten seconds
            }
            client.getBooleanValue("photo_search", false, new ImmutableContext());
        }
        Stack.awaitCounts(before);
    }

    static Map<String, Object> flagsmith() {
        Map<String, Object> checks = new LinkedHashMap<>();
        checks.put("environment_flags", (Driver.Check) Providers::environmentFlags);
        checks.put("identity_traits", (Driver.Check) Providers::identityTraits);
        checks.put("transient_identity", "the provider does not pass it on");
        checks.put("transient_trait", "the provider does not pass it on");
        checks.put("trait_removed", "the provider does not pass it on");
        checks.put("anonymous", (Driver.Check) () -> anonymous(own(Stack.CLIENT_KEY, false, false), 40));
        checks.put("local_evaluation", (Driver.Check) Providers::localEvaluation);
        checks.put("analytics_once", (Driver.Check) Providers::analyticsOnce);
        checks.put("wrong_key", (Driver.Check) () -> Stack.same(price(own("no-such-key", false, false), new ImmutableContext()), 7));
        checks.put("server_returns", (Driver.Check) () -> serverReturns(own(Stack.CLIENT_KEY, false, false), new ImmutableContext()));
        checks.put("realtime", "the SDK in it polls");
        return checks;
    }
}
