// Package shares has Gomega matchers that judge how counts are divided, by a
// test with stated probabilities of error.
//
// It is for those who write Go tests of routing, sample in their own way, and
// want more than "within 5 points of 40 after 500 requests":
//
//	counts := map[string]int64{"blue": 812, "green": 790, "canary": 398, "errors": 2}
//	Expect(counts).To(shares.Match(shares.Want{"blue": 40, "green": 40, "canary": 20},
//		shares.Within(5), shares.Errors(1)))
//
// A failure shows the shares wanted and got, their intervals, and the reason.
//
// # Three answers, not two
//
// Counts can be too few to tell. Then neither To nor NotTo holds: the matcher
// returns an error, by which Gomega fails both, and which says about how many
// more answers would decide. So
//
//   - Expect(counts).To(Match(…)) is green only if the split is confirmed: if a
//     share were out of its tolerance, it would be so with a probability of at
//     most 1 % (Beta).
//   - Expect(counts).NotTo(Match(…)) is green only if the split is refuted: if
//     all were in, it would be so with a probability of at most 0.1 % (Alpha).
//
// # What the counts must be
//
// Those of the first answers, all of them, up to any moment. It may be chosen
// while one looks, so Eventually may poll counts that grow:
//
//	Eventually(sampler.Counts).Should(shares.Match(want, shares.Within(5)))
//
// That is not "retry until it passes": the probability of a wrong success
// covers all polls of the same counts together. It does not cover counts that
// begin anew at each poll, where each poll would be another chance. A change that
// needs a moment is waited for beforehand, or judged by a scenario's expect,
// whose test makes allowance for attempts.
//
// Each answer must be an independent draw: one request on each connection.
//
// # What it refuses
//
// Shares that do not sum to 100, a share between 0 and 100 without a tolerance,
// an outcome that is wanted and was not counted (say 0), counts that are none.
// Such a mistake is an error of the matcher, too.
package shares
