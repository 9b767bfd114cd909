// Package environment reads the files that say where scenarios run: clusters by
// name, gateways, clients, destinations, and how an answer tells who gave it.
//
// It is for the runner and for whoever starts it. Scenarios name clusters, gateways
// and outcomes; what stands behind a name is here and nowhere else, so that the
// same scenario runs on the sandbox and on real clusters.
//
// It refuses, with every mistake at its line and column and all of them at once,
// names that lead nowhere (a gateway's cluster, an answer's destination), rules that
// could never match, destinations that no answer names and so could never be seen,
// and ${NAME} that is not defined.
package environment
