// Package gateways runs real gateways that nobody here wrote, nginx and
// HAProxy, for as long as a test or a benchmark needs them.
//
// It is for the project's own tests and benchmarks. A gateway is a child
// process on loopback, with a temporary folder of its own for configuration,
// log and process id; it needs no rights and changes nothing of an installed
// one. Its sockets are opened here and handed over, so that no port can be
// lost to somebody else in between and the first request finds an open door.
//
// It refuses configuration that the program itself refuses, with the program's
// own words, and says how to install a program that is missing.
package gateways
