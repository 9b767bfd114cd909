// Package verdict says, from counts alone, whether answers are divided as
// they should be, and how sure that is.
//
// It is for whoever has counts of answers by outcome and shares that they
// should have: the runner, the command line, a test of one's own. It knows
// nothing of networks, time or randomness, and imports the standard library
// only.
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
// A bet with capital L is a finite mixture of likelihood ratios
// (q/e)^hits * ((1-q)/(1-e))^misses of an alternative q against the edge e,
// a mixture of Wald's sequential probability ratio tests (A. Wald, Sequential
// Analysis, 1947; J. Ville, Étude critique de la notion de collectif, 1939;
// H. Robbins, Statistical methods related to the law of the iterated
// logarithm, Ann. Math. Stat. 41, 1970). edge.go has the mixtures.
//
// # What it asks of the counts
//
// Each answer must be an independent draw, or at least be divided anew given
// the past; one request per connection brings that about. Answers must be
// counted in the order in which their requests were sent, without holes.
// Judged in the order of completion, a slow destination comes late and alone
// makes a correct split fail. Which prefixes are looked at does not matter.
//
// # What it refuses
//
// Claims that no number of requests can confirm: exactly 40 %, shares that do
// not sum to 100 %, a tolerance that excludes nothing. Validate names every
// such mistake and what would do.
package verdict
