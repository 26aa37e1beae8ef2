package main

import (
	"context"

	"github.com/open-feature/go-sdk-contrib/providers/ofrep"
	"github.com/open-feature/go-sdk/openfeature"
)

// The price that the protocol gives for a context; 7 where it gives none.
func price(api *instance, key, identifier string, attributes map[string]any) int64 {
	must(openfeature.SetProviderAndWait(ofrep.NewProvider(api.url(), ofrep.WithHeader("X-Environment-Key", key))))
	client := openfeature.NewClient("driver")
	value, _ := client.IntValue(context.Background(), "free_shipping_from", 7, openfeature.NewEvaluationContext(identifier, attributes))
	return value
}

var ofrepChecks = []check{
	{name: "environment_flags", work: func(api *instance) { ensure(price(api, clientKey, "x", nil) == 40) }},
	{name: "identity_traits", work: func(api *instance) { ensure(price(api, clientKey, "x", traits) == 0) }},
	{name: "transient_identity", none: "OFREP stores nothing"},
	{name: "transient_trait", none: "OFREP stores nothing"},
	{name: "trait_removed", none: "OFREP stores nothing"},
	{name: "anonymous", work: func(api *instance) {
		before := identities()
		ensure(price(api, clientKey, "", map[string]any{"plan": "pro"}) == 0)
		ensure(identities() == before)
	}},
	{name: "local_evaluation", none: "OFREP asks for each flag"},
	{name: "analytics_once", none: "OFREP does not count"},
	{name: "wrong_key", work: func(api *instance) { ensure(price(api, "no-such-key", "x", nil) == 7) }},
	{name: "server_returns", work: func(api *instance) {
		ensure(price(api, clientKey, "x", nil) == 40)
		api.stop()
		ensure(price(api, clientKey, "x", nil) == 7)
		api.start()
		ensure(price(api, clientKey, "x", nil) == 40)
	}},
	{name: "realtime", none: "OFREP asks for each flag"},
}
