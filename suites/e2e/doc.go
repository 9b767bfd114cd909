// Package e2e proves, by running the very commands that its readers type, that
// Assay passes what is right, fails what is wrong, and leaves nothing behind
// however a run ends. Its tests start real sandboxes and take minutes: they run
// with ASSAY_E2E=1 only.
package e2e
