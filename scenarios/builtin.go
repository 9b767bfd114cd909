// Package scenarios is what of this folder is built into the program: the
// environment of the sandbox, and the scenarios that everything else in the
// tutorial builds on. It is for those who have the program and not a clone: the
// sandbox is theirs without a file, and `assay new` gives them something to
// divide traffic among. It refuses nothing, for it holds nothing but files.
package scenarios

import "embed"

// Sandbox is the file of the environment that is called sandbox.
//
//go:embed environments/sandbox.yaml
var Sandbox []byte

// Base is the scenario gateway, and all that it needs, with their manifests, as
// they lie below this folder.
//
//go:embed deployment vm virtual-mesh traffic-management/gateway.yaml traffic-management/manifests/gateway.yaml
var Base embed.FS

// ScenarioSchema is the JSON Schema by which editors check and complete
// scenarios. internal/reference writes it.
//
//go:embed scenario.schema.json
var ScenarioSchema string

// EnvironmentSchema is the one for environments.
//
//go:embed environment.schema.json
var EnvironmentSchema string
