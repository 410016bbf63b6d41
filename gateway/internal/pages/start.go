package pages

import (
	"html"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"oms.internal/gateway/internal/forwarded"
	"oms.internal/libs/fault"
)

// answerStart answers with the start page. It is made for each request, because it shows the host that was asked, and what is healthy.
func answerStart(c *fiber.Ctx, page string, states []state) error {
	source := forwarded.Of(c)
	if !forwarded.IsHost(source.Host) {
		return fault.New(fault.Malformed, "The Host header is missing or not valid.", nil)
	}
	base := "" // of links: the prefix that a proxy cuts off, where that says so
	if source.Prefix != "" {
		base = source.Prefix + "/"
	}
	shown := strings.NewReplacer(
		"{{base}}", html.EscapeString(base),
		"{{api}}", html.EscapeString(source.Proto+"://"+source.Host+source.Prefix),
		"{{health}}", showHealth(states),
	).Replace(page)
	c.Set(fiber.HeaderContentType, kindOfPages)
	c.Set(fiber.HeaderContentSecurityPolicy, startPolicy)
	return c.SendString(shown)
}

// showHealth is a line of the whole, and a list of the parts.
func showHealth(states []state) string {
	whole := `<p class="all good">Everything answers</p>`
	if slices.ContainsFunc(states, func(part state) bool { return !part.Ready }) {
		whole = `<p class="all bad">Not everything answers</p>`
	}
	var parts strings.Builder
	for _, part := range states {
		name := html.EscapeString(part.Name)
		if part.Ready {
			parts.WriteString(`<li class="good">` + name + `</li>`)
		} else {
			parts.WriteString(`<li class="bad">` + name + ` does not answer</li>`)
		}
	}
	return whole + "<ul>" + parts.String() + "</ul>"
}
