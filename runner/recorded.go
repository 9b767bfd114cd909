package runner

import (
	"slices"
	"strconv"

	"github.com/meshassay/assay/runner/record"
	"github.com/meshassay/assay/runner/sample"
	"github.com/meshassay/assay/runner/verdict"
)

// recordFaults puts the failed requests and the latencies of a tally into a
// record's sample, but for the histogram.
func recordFaults(s *record.Sample, t *sample.Tally) {
	s.Latency = record.Latency(t.Latency())
	s.Faults, s.Statuses = make(map[string]int64), make(map[string]int64)
	for fault, n := range t.Faults {
		s.Faults[string(fault)] = n
	}
	for status, n := range t.Statuses {
		s.Statuses[strconv.Itoa(status)] = n
	}
}

// recordHistogram adds every latency to a record's sample.
func recordHistogram(s *record.Sample, t *sample.Tally) {
	for _, b := range t.Buckets() {
		s.Histogram = append(s.Histogram, verdict.Bucket(b))
	}
}

func recordExample(e sample.Example) record.Example {
	return record.Example{
		Of: e.Outcome, Fault: string(e.Fault), Which: e.Which, Number: e.Number, At: e.At,
		Status: e.Status, Detail: e.Detail, Header: e.Header, Body: e.Body,
	}
}

// otherNames stands for names beyond those that are told apart.
const otherNames = "other names"

// countUnlisted counts an outcome that no share names, and returns the name
// under which it does. Names beyond the first few are given one, so that memory
// does not grow where a gateway gives each answer a name of its own.
func countUnlisted(unlisted map[string]int64, name string) string {
	if _, known := unlisted[name]; !known && len(unlisted) >= verdict.FoundNames {
		name = otherNames
	}
	unlisted[name]++
	return name
}

// inOrderOf sorts changes by cluster. Clusters end in any order; a record shall
// read the same every time.
func inOrderOf(clusters []string, changes []record.Change) {
	slices.SortStableFunc(changes, func(a, b record.Change) int {
		return slices.Index(clusters, a.Cluster) - slices.Index(clusters, b.Cluster)
	})
}
