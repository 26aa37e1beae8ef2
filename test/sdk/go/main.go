// Drives the providers of OpenFeature for Go and, where its module can be had, the official SDK;
// test/sdk/README.md says how the checks are told.
package main

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
)

// A check, which panics where it fails, or why the SDK has no such check.
type check struct {
	name string
	work func(*instance)
	none string
}

type line struct {
	SDK     string `json:"sdk"`
	Version string `json:"version"`
	Check   string `json:"check"`
	Result  string `json:"result"`
	Note    string `json:"note"`
}

func tell(told line) {
	text, err := json.Marshal(told)
	must(err)
	fmt.Println(string(text))
}

func run(c check, api *instance) (result, note string) {
	defer func() {
		if failure := recover(); failure != nil {
			result, note = "failed", fmt.Sprintf("%.300s", fmt.Sprint(failure))
		}
	}()
	api.start()
	c.work(api)
	return "ok", ""
}

func drive(api *instance, sdk, module string, checks []check) {
	for _, c := range checks {
		result, note := "none", c.none
		if c.work != nil {
			result, note = run(c, api)
		}
		tell(line{sdk, versionOf(module), c.name, result, note})
	}
}

func versionOf(module string) string {
	built, _ := debug.ReadBuildInfo()
	for _, dependency := range built.Deps {
		if dependency.Path == module {
			return dependency.Version
		}
	}
	return "?"
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func ensure(holds bool, what ...any) {
	if !holds {
		panic(fmt.Sprint(what...))
	}
}

func main() {
	api := &instance{port: "0"}
	driveSDK(api)
	drive(api, "OFREP provider (Go)", "github.com/open-feature/go-sdk-contrib/providers/ofrep", ofrepChecks)
	api.stop()
}
