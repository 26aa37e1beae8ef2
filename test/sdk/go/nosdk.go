//go:build !flagsmith

package main

// Without the SDK's module there is only to say so.
func driveSDK(*instance) {
	tell(line{"Go flagsmith-go-client", "v5.1.0", "", "skipped", "its module cannot be had from the Go module proxy"})
}
