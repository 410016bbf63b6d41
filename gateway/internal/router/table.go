package router

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Table finds the resource that a path names.
type Table struct {
	resources []*Resource
}

// Resource is all that the rows say about one path.
type Resource struct {
	Pattern string
	Service string

	segments []string
	access   map[string]Access
	allow    string
}

// NewTable arranges rows by path. It refuses rows that contradict each other.
func NewTable(rows []Route) (*Table, error) {
	table := &Table{}
	byPattern := map[string]*Resource{}
	for _, row := range rows {
		resource := byPattern[row.Pattern]
		if resource == nil {
			resource = &Resource{
				Pattern:  row.Pattern,
				Service:  row.Service,
				segments: strings.Split(row.Pattern, "/"),
				access:   map[string]Access{},
			}
			byPattern[row.Pattern] = resource
			table.resources = append(table.resources, resource)
		}
		if resource.Service != row.Service {
			return nil, fmt.Errorf("route %s: two services: %s and %s", row.Pattern, resource.Service, row.Service)
		}
		if err := resource.add(row); err != nil {
			return nil, err
		}
	}
	for _, resource := range table.resources {
		taken := append(slices.Collect(maps.Keys(resource.access)), http.MethodOptions)
		resource.allow = strings.Join(slices.Sorted(slices.Values(taken)), ", ")
	}
	return table, nil
}

func (r *Resource) add(row Route) error {
	if !slices.Contains([]Access{Public, Member, Owner, Self, Admin}, row.Access) {
		return fmt.Errorf("route %s: access %q", row.Pattern, row.Access)
	}
	for _, method := range row.Methods {
		names := []string{method}
		if method == http.MethodGet {
			names = append(names, http.MethodHead)
		}
		for _, name := range names {
			if _, twice := r.access[name]; twice {
				return fmt.Errorf("route %s: %s is listed twice", row.Pattern, name)
			}
			r.access[name] = row.Access
		}
	}
	return nil
}

// Find returns the resource that path, as the client wrote it, names.
func (t *Table) Find(path string) (*Resource, bool) {
	segments := strings.Split(path, "/")
	for _, resource := range t.resources {
		if slices.EqualFunc(resource.segments, segments, matches) {
			return resource, true
		}
	}
	return nil, false
}

func matches(pattern, segment string) bool {
	if strings.HasPrefix(pattern, ":") {
		return isPlain(segment)
	}
	return pattern == segment
}

// isPlain reports whether a segment means the same to every reader of URLs: no '%', no '.', no byte beyond ASCII.
func isPlain(segment string) bool {
	for _, char := range []byte(segment) {
		letter := 'a' <= char && char <= 'z' || 'A' <= char && char <= 'Z'
		digit := '0' <= char && char <= '9'
		if !letter && !digit && char != '-' && char != '_' {
			return false
		}
	}
	return segment != ""
}

// Access says who may use the method here; allowed is false where nobody may.
func (r *Resource) Access(method string) (access Access, allowed bool) {
	access, allowed = r.access[method]
	return access, allowed
}

// Allow is the value of the Allow header: the methods in alphabetical order.
func (r *Resource) Allow() string { return r.allow }

// AnyPublic reports whether anyone may use at least one method here. Where nobody without a token has any business,
// even the methods are not told, as in Django REST Framework.
func (r *Resource) AnyPublic() bool {
	return slices.Contains(slices.Collect(maps.Values(r.access)), Public)
}
