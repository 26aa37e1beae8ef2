//go:build flagsmith

package main

import (
	"context"
	"fmt"
	"reflect"
	"time"

	flagsmith "github.com/Flagsmith/flagsmith-go-client/v5"
)

func driveSDK(api *instance) {
	drive(api, "Go flagsmith-go-client", "github.com/Flagsmith/flagsmith-go-client/v5", sdkChecks)
}

func client(api *instance, key string, settings ...flagsmith.Option) *flagsmith.Client {
	settings = append(settings, flagsmith.WithBaseURL(api.url()+"/api/v1/"), flagsmith.WithRequestTimeout(5*time.Second))
	return flagsmith.NewClient(key, settings...)
}

func flags(from *flagsmith.Client, whose *flagsmith.EvaluationContext) flagsmith.Flags {
	found, err := from.GetFlags(context.Background(), whose)
	must(err)
	return found
}

func identity(name string, traits map[string]any) *flagsmith.EvaluationContext {
	found := flagsmith.NewEvaluationContext(name, traits)
	return &found
}

func transient(name string, traits map[string]any) *flagsmith.EvaluationContext {
	found := flagsmith.NewTransientEvaluationContext(name, traits)
	return &found
}

func flagsOf(found flagsmith.Flags) map[string]string {
	all := map[string]string{}
	for _, flag := range found.AllFlags() {
		all[flag.FeatureName] = fmt.Sprint(flag.Enabled, " ", flag.Value)
	}
	return all
}

func priceOf(found flagsmith.Flags) string {
	return flagsOf(found)["free_shipping_from"]
}

// A client with local evaluation that has its document, which it fetches behind the caller's back.
func localClient(api *instance, settings ...flagsmith.Option) *flagsmith.Client {
	local := client(api, serverKey, append(settings, flagsmith.WithLocalEvaluation(context.Background()))...)
	await(func() bool { _, err := local.GetFlags(context.Background(), nil); return err == nil }, "the document")
	return local
}

func localEvaluation(api *instance) {
	local, remote := localClient(api), client(api, serverKey)
	for n := range 1000 {
		given := map[string]any{"country": []string{"SE", "NL", "FI"}[n%3], "orders": n, "beta": n%2 == 0}
		given["plan"] = []string{"free", "pro", "pro"}[n%3]
		name := fmt.Sprint("go-local-", n)
		here, there := flagsOf(flags(local, identity(name, given))), flagsOf(flags(remote, transient(name, given)))
		ensure(reflect.DeepEqual(here, there), "identity ", n, ": ", here, there)
	}
}

func analyticsOnce(api *instance) {
	before := counted()
	found := flags(client(api, clientKey, flagsmith.WithAnalytics(context.Background())), nil)
	for range 7 {
		_, err := found.IsFeatureEnabled("photo_search")
		must(err)
	}
	await(func() bool { return counted() >= before+7 }, "the counts") // it sends every ten seconds
	time.Sleep(time.Second)
	ensure(counted() == before+7, counted()-before)
}

func realtime(api *instance) {
	change(false)
	local := localClient(api, flagsmith.WithRealtime(), flagsmith.WithRealtimeBaseURL(api.url()+"/"))
	is := func(wanted bool) func() bool {
		return func() bool {
			found := flags(local, nil)
			enabled, err := found.IsFeatureEnabled("stock_editor")
			return err == nil && enabled == wanted
		}
	}
	await(is(false), "the flag as it was")
	time.Sleep(time.Second)
	change(true)
	await(is(true), "a change")
	api.stop()
	change(false)
	api.start()
	await(is(false), "a change made while the stream was down")
}

var sdkChecks = []check{
	{name: "environment_flags", work: func(api *instance) {
		found := flagsOf(flags(client(api, clientKey), nil))
		ensure(found["free_shipping_from"] == "true 40" && found["fraud_score_limit"] == "", found)
		ensure(flagsOf(flags(client(api, serverKey), nil))["fraud_score_limit"] == "true 70")
	}},
	{name: "identity_traits", work: func(api *instance) {
		ensure(priceOf(flags(client(api, clientKey), identity("go-traits", traits))) == "true 0")
		ensure(stores("go-traits", traits))
	}},
	{name: "transient_identity", work: func(api *instance) {
		flags(client(api, clientKey), transient("go-transient", traits))
		ensure(stores("go-transient", nil))
	}},
	{name: "transient_trait", work: func(api *instance) {
		given := map[string]any{"plan": "pro", "orders": flagsmith.NewTraitEvaluationContext(3, true)}
		flags(client(api, clientKey), identity("go-mixed", given))
		ensure(stores("go-mixed", map[string]any{"plan": "pro"}))
	}},
	{name: "trait_removed", work: func(api *instance) {
		flags(client(api, clientKey), identity("go-removed", traits))
		flags(client(api, clientKey), identity("go-removed", map[string]any{"plan": nil}))
		ensure(stores("go-removed", map[string]any{"orders": 73, "rating": 4.5, "newsletter": true}))
	}},
	{name: "anonymous", work: func(api *instance) {
		before := identities()
		ensure(priceOf(flags(client(api, clientKey), transient("", map[string]any{"plan": "pro"}))) == "true 0")
		ensure(identities() == before)
	}},
	{name: "local_evaluation", work: localEvaluation},
	{name: "analytics_once", work: analyticsOnce},
	{name: "wrong_key", work: func(api *instance) {
		_, err := client(api, "no-such-key").GetFlags(context.Background(), nil)
		ensure(err != nil, "no error")
	}},
	{name: "server_returns", work: func(api *instance) {
		sdk := client(api, clientKey)
		flags(sdk, nil)
		api.stop()
		_, err := sdk.GetFlags(context.Background(), nil)
		ensure(err != nil, "no error while the server was away")
		api.start()
		ensure(priceOf(flags(sdk, nil)) == "true 40")
	}},
	{name: "realtime", work: realtime},
}
