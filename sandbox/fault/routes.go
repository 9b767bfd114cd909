package fault

import (
	"net/http"

	"github.com/meshassay/assay/sandbox/routing"
	"github.com/meshassay/assay/sandbox/strict"
)

// readSticky reads sticky: {by: connection}: all requests of a connection go
// where its first one went.
func readSticky(o *strict.Object) effect {
	o.OneOf("by", "the sandbox cannot tell clients apart by that", "connection")
	return effect{route: func(r *routing.Route) { r.Choice.Sticky = true }}
}

// readBlocks reads blocks: {size: 100}: of every so many requests the first
// go to the first destination and so on, each exactly by its weight. That is
// no lie about the shares, and a good judge lets it pass.
func readBlocks(o *strict.Object) effect {
	size := o.Number("size", 1, 1_000_000)
	if !o.Has("size") {
		o.Refuse("size", "want how many requests make a block")
	}
	return effect{route: func(r *routing.Route) { r.Choice.Block = int(size) }}
}

// readErrors reads errors: {percent: 5, status: 503}: so many per cent of the
// requests, each drawn on its own, are answered with the status by the gateway.
func readErrors(o *strict.Object) effect {
	abort := routing.Abort{Share: o.Decimal("percent", 0, 100) / 100, Status: http.StatusServiceUnavailable}
	if !o.Has("percent") {
		o.Refuse("percent", "want how many per cent of the requests fail")
	}
	if status := o.Number("status", 200, 599); status != 0 {
		abort.Status = int(status)
	}
	return effect{route: func(r *routing.Route) { r.Aborts = append(r.Aborts, abort) }}
}

// readVMDown reads vmDown: {}: nobody answers at the VM's address.
func readVMDown(*strict.Object) effect { return effect{vmDown: true} }
