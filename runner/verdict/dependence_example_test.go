package verdict_test

import (
	"fmt"

	"github.com/meshassay/assay/runner/verdict"
)

// Thirty connections carry fifty requests each, and the gateway decides once
// per connection.
func ExampleDependence() {
	outcomes := []int{0, 0, 1, 1, 2} // of the connections, in turn
	d := verdict.NewDependence(3, 1)
	for range 50 {
		for connection := range int64(30) {
			d.Observe(connection, outcomes[connection*7%5])
		}
	}
	r := d.Result()
	fmt.Println(r.Balancing)
	fmt.Printf("kappa %.2f, design effect %.0f, effective %.0f of %d\n", r.Kappa, r.DesignEffect, r.Effective, r.N)
	// Output:
	// sticky by connection
	// kappa 1.00, design effect 50, effective 30 of 1500
}
