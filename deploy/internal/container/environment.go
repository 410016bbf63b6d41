package container

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"

	"oms.internal/deploy/internal/stack"
)

// goSettings decide where the go command finds modules and whom it believes. The build in the image uses the host's, so
// that it works wherever `go build` works, behind a module proxy of a company for one.
var goSettings = []string{"GOPROXY", "GOSUMDB", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOFLAGS"}

// environment is what compose.yaml is filled in with.
func (r *Runner) environment(ctx context.Context) ([]string, error) {
	// #nosec G204 -- fixed arguments
	output, err := exec.CommandContext(ctx, "go", append([]string{"env", "-json"}, goSettings...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("settings of the go command: %w", err)
	}
	settings := map[string]string{}
	if err := json.Unmarshal(output, &settings); err != nil {
		return nil, fmt.Errorf("settings of the go command: %w", err)
	}
	environment := []string{"OMS_SECRETS=" + r.published()}
	for _, names := range stack.Choosable {
		for _, name := range names {
			environment = append(environment, name+"="+r.stack.Choices[name]) // "" is the default of compose.yaml
		}
	}
	for _, name := range goSettings {
		environment = append(environment, name+"="+settings[name])
	}
	for _, port := range r.stack.Ports.List() {
		environment = append(environment, port.Variable+"="+strconv.Itoa(*port.Number))
	}
	return environment, nil
}
