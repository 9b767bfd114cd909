package report

import (
	"testing"

	"github.com/meshassay/assay/runner/verdict"
)

func TestForecast(t *testing.T) {
	c := onlyGreen()
	c.Shares = append(c.Shares[:0:0], tutorial().Shares...)
	c.Shares = append(c.Shares, verdict.Share{Name: "denied"}, verdict.Share{Name: "pink", Leak: .01})
	f := verdict.Forecast{
		Right:  verdict.Outlook{Shares: []float64{.4, .4, .2, 0, 0}, Mean: 3712.5, Median: 3699, P99: 9544, Passed: 1},
		Half:   verdict.Outlook{Shares: []float64{.4125, .3875, .1925, 0, .005}, Errors: .0025, Median: 11385, P99: 20000, Passed: .8995, Undecided: .1005},
		Twice:  verdict.Outlook{Shares: []float64{.46, .36, .18, 0, 0}, Median: 20000, P99: 20000, Passed: .0004, Failed: .4, Undecided: .5996},
		Runs:   2000,
		Budget: 14316,
	}
	plain(t, "forecast.txt", Wanted(c)+"\n"+Forecast(c, f, 20000)+Budgets(c, f, 20000))
}
