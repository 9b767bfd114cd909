package shares_test

import (
	"fmt"

	"github.com/onsi/gomega"

	"github.com/meshassay/assay/suites/shares"
)

// In a test of one's own, g is what Ginkgo or NewWithT provide.
func ExampleMatch() {
	g := gomega.NewGomega(func(message string, _ ...int) { fmt.Println(message) })

	counts := map[string]int64{"blue": 812, "green": 790, "canary": 398}
	g.Expect(counts).To(shares.Match(shares.Want{"blue": 40, "green": 40, "canary": 20}, shares.Within(5)))

	g.Expect(counts).To(shares.Match(shares.Want{"blue": 40, "green": 30, "canary": 30}, shares.Within(5)))
	// Output:
	// Expected the answers to be divided as wanted, but the verdict is
	// failed: canary is at 19.9 % of 2,000, below 25 %, wrong with probability at most 0.001
	// diagnosis: routing mistake: the answers are divided otherwise than wanted: canary 19.9 % instead of 30 %, green 39.5 % instead of 30 %
	//               wanted     got        interval  count
	// blue    40 % +- 5 pp  40.6 %  36.5 to 44.8 %    812
	// canary  30 % +- 5 pp  19.9 %  15.9 to 24.3 %    398  <- failed
	// green   30 % +- 5 pp  39.5 %  34.4 to 44.7 %    790
	// errors      <= 0.5 %     0 %    below 0.38 %      0
	// intervals: 99 % for all of them together, whenever one looks
}
