package container

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"

	"oms.internal/deploy/internal/secret"
	"oms.internal/deploy/internal/stack"
)

// goSettings decide where the go command finds modules and whom it trusts. The build in the image uses this machine's settings, so that
// it works wherever `go build` works, for example behind a company's module proxy.
var goSettings = []string{"GOPROXY", "GOSUMDB", "GONOPROXY", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOFLAGS"}

// secretsOf are the secrets that the containers read, by the variable in compose.yaml that stands for their content.
var secretsOf = map[string][]string{
	"ACCOUNTS_SECRETS": {
		"nats-accounts", "mysql-accounts-app", "mysql-accounts-migrate", secret.PrincipalPublicKey, "idempotency",
	},
	"ORDERS_SECRETS":  {"nats-orders", "mysql-orders-app", "mysql-orders-migrate", secret.PrincipalPublicKey},
	"GATEWAY_SECRETS": {"nats-gateway", secret.PrincipalKey},
	"NATS_SECRETS":    {"nats-accounts", "nats-orders", "nats-gateway", "nats-ops"},
}

// mountedFiles are the files of deploy/ that containers mount and that may differ in the next release, by the variable in compose.yaml that
// stands for their content. Those with which a server is made are not among them, nor is MySQL's health check: each container goes on well
// with the one that it has, and to replace both servers for it is an outage.
var mountedFiles = map[string][]string{
	"MYSQL_FILES": {"mysql/server.cnf"},
	"NATS_FILES":  {"nats/nats.conf"},
}

// environment returns the values of the variables in compose.yaml, but for those that a build needs.
func (r *Runner) environment() []string {
	environment := []string{"OMS_SECRETS=" + r.published()}
	for _, names := range stack.Choosable {
		for _, name := range names {
			environment = append(environment, name+"="+r.stack.Choices[name]) // "" lets compose.yaml use its default
		}
	}
	// A container keeps the file that it has mounted. So a changed one must make Compose replace the containers that read it.
	for variable, names := range secretsOf {
		environment = append(environment, variable+"="+secret.Digest(r.stack.Secrets(), names...))
	}
	for variable, names := range mountedFiles {
		environment = append(environment, variable+"="+secret.Digest(filepath.Join(r.stack.Root, "deploy"), names...))
	}
	for _, port := range r.stack.Ports.List() {
		environment = append(environment, port.Variable+"="+strconv.Itoa(*port.Number))
	}
	return environment
}

// buildEnvironment returns the values of the variables in compose.yaml that a build needs. Only a build does, so that the other commands
// work where the go command is not in the path, as in a schedule of cron.
func (r *Runner) buildEnvironment(ctx context.Context) ([]string, error) {
	// #nosec G204 -- fixed arguments
	output, err := exec.CommandContext(ctx, "go", append([]string{"env", "-json"}, goSettings...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("settings of the go command: %w", err)
	}
	settings := map[string]string{}
	if err := json.Unmarshal(output, &settings); err != nil {
		return nil, fmt.Errorf("settings of the go command: %w", err)
	}
	environment := []string{"REVISION=" + r.stack.Revision(ctx)}
	for _, name := range goSettings {
		environment = append(environment, name+"="+settings[name])
	}
	return environment, nil
}
