// Package verdict says, from counts alone, whether answers are divided as
// they should be, and how sure that is.
//
// It is for whoever has counts of answers by outcome and shares that they
// should have: the runner, the command line, a test of one's own. It knows
// nothing of networks and clocks, and imports the standard library only.
//
// Say what is wanted in a Claim, make a Test of it, give it the answers one by
// one (Observe, Look) or added up (Update), and read the Result. docs/verdict.md
// has what the test costs and how it was proved.
//
// Beside the test: Affordable and Simulate say beforehand what a budget can
// decide, CompareShares, CompareErrors and CompareLatency judge two runs, Pair
// judges two streams side by side, and Dependence looks how a gateway balances.
//
// # The test in plain words
//
// Every share may lie in a box: 40 % give or take 3 points is the box from
// 37 % to 43 %. For each edge of a box two bets are kept. One bets that the
// true share is on the good side of the edge, the other that it is on the bad
// side. A bet starts with a capital of 1 and is staked anew on every answer
// at odds that are fair, or unfavourable, if the bet is wrong. Such a capital
// (a nonnegative supermartingale) ever grows past 1/x with probability at
// most x, however long one plays and whenever one looks (Ville's inequality).
//
//   - Passed: each good-side bet has at some time reached 1/beta. If any share
//     is really at or beyond an edge, the bet at that edge had to be lucky, so
//     a wrong "passed" has probability at most beta. No correction for the
//     number of edges is needed (an intersection-union test).
//   - Failed: the mean of all bad-side bets has reached 1/alpha. If all shares
//     are really inside their boxes, the mean is such a capital too, so a
//     wrong "failed" has probability at most alpha.
//   - Undecided: neither, yet. One may go on with the same counts; the error
//     probabilities hold at any stopping time.
//
// # The formulas
//
// With S hits and F misses of a share, its bet at the edge e has the capital
//
//	M = sum_i w_i (q_i/e)^S ((1-q_i)/(1-e))^F ,
//
// a finite mixture of likelihood ratios of alternatives q_i against e: of Wald's
// sequential probability ratio tests. On the good side the q_i lie between the
// share wanted and the edge, on the bad side beyond the edge (edge.go). If the
// share is theta, an answer multiplies component i by 1 + (theta-e)(q_i-e)/(e(1-e))
// on average, which is at most 1 if theta is on the other side of e than q_i.
// M depends on the counts alone: an update takes time and memory in proportion
// to the number of shares, and counts of several samplers may be added.
//
// The good-side bets of a claim are not looked at for the first answers, about
// as many as any test needs, and then compared with a threshold c below 1/beta,
// so chosen that E[min(1, M/c)] at that moment is beta (delay.go). Bad-side bets
// on shares are not looked at before 12.5 / tolerance answers, since a gateway
// may deal in blocks.
//
// What must never answer is confirmed as "less than r": after n answers without
// it the capital is (1-r)^-n. Its first answer fails; that cannot be wrong.
//
// Intervals are confidence sequences: the shares against which a mixture of all
// alternatives has not gained 1/delta, with delta = beta / (number of shares + 1),
// so that they hold together, at all times (interval.go).
//
// Sources: J. Ville, Étude critique de la notion de collectif, 1939; A. Wald,
// Sequential Analysis, 1947; H. Robbins, Statistical methods related to the law
// of the iterated logarithm, Ann. Math. Stat. 41, 1970; R. L. Berger,
// Multiparameter hypothesis testing and acceptance sampling, Technometrics 24,
// 1982 (intersection-union tests); G. Lorden, Nearly-optimal sequential tests for
// finitely many parameter values, Ann. Stat. 5, 1977 (what can be had at best).
//
// # What it asks of the counts
//
// Each answer must be an independent draw, or at least be divided anew given
// the past; one request per connection brings that about. Answers must be
// counted in the order in which their requests were sent, without holes.
// Judged in the order of completion, a slow destination comes late and alone
// makes a correct split fail: Order puts answers in order, Rounds the counts of
// several samplers. Which prefixes are looked at does not matter.
//
// # What it refuses
//
// Claims that no number of requests can confirm: exactly 40 %, shares that do
// not sum to 100 %, a tolerance that excludes nothing. Validate names every
// such mistake and what would do.
package verdict
