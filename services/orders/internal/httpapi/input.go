package httpapi

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/text/unicode/norm"

	"oms.internal/libs/authn"
	"oms.internal/libs/field"
	"oms.internal/libs/httpx"
	"oms.internal/libs/idempotency"
	"oms.internal/orders/internal/order"
)

// readOrder reads an order's fields. Customer and number may always be left out; product says whether the product may be.
func readOrder(c *fiber.Ctx, product field.Presence) (order.Change, error) {
	object, err := field.Parse(c.Get(fiber.HeaderContentType), c.Body())
	if err != nil {
		return order.Change{}, err
	}
	change := order.Change{
		CustomerID: object.Key("customer", field.Optional),
		OrderNumber: object.Text("order_number", field.Optional,
			field.Length(order.NumberLength, order.NumberLength), field.Pattern(order.NumberPattern)),
		ProductName: object.Text("product_name", product, field.Length(1, order.MaxProductName)),
	}
	if state := object.Text("state", field.Optional); state != nil {
		change.State = new(order.State(*state))
	}
	return change, object.Err()
}

// readCreation reads what makes a new order the same when it is sent again. How the request was written does not count,
// since a client may write it anew each time, nor whether it names its caller as the customer or nobody.
func readCreation(c *fiber.Ctx, caller authn.Principal, input order.Change) (order.IdempotentRequest, error) {
	customer := caller.MemberID
	if input.CustomerID != nil {
		customer = *input.CustomerID
	}
	return readRequest(c, "create order", customer, textOf(input.OrderNumber), textOf(input.ProductName))
}

// readUpdate reads what makes a change of the order of this id the same when it is sent again.
func readUpdate(c *fiber.Ctx, id uint64, input order.Change) (order.Condition, order.IdempotentRequest, error) {
	customer, state := "", ""
	if input.CustomerID != nil {
		customer = strconv.FormatUint(*input.CustomerID, 10)
	}
	if input.State != nil {
		state = string(*input.State)
	}
	return readChange(c, "update order", id, customer, textOf(input.OrderNumber), textOf(input.ProductName), state)
}

// readChange reads the If-Match and the Idempotency-Key of a request that does something to the order of this id.
func readChange(c *fiber.Ctx, does string, id uint64, asksFor ...string) (order.Condition, order.IdempotentRequest, error) {
	condition, err := httpx.IfMatch(c, id)
	if err != nil {
		return nil, order.IdempotentRequest{}, err
	}
	request, err := readRequest(c, does, id, asksFor...)
	return condition, request, err
}

// readRequest reads the Idempotency-Key of a request that does something to the customer or the order of this id.
func readRequest(c *fiber.Ctx, does string, id uint64, asksFor ...string) (order.IdempotentRequest, error) {
	key, err := httpx.IdempotencyKey(c)
	if err != nil {
		return order.IdempotentRequest{}, err
	}
	return order.IdempotentRequest{
		CallerID: authn.From(c.UserContext()).MemberID, Key: key,
		Fingerprint: fingerprint(norm.NFC, does, id, asksFor),
		// The release before did not compose texts, and those that are not composed are almost always wholly decomposed. Keys are
		// kept for a day, so the next release needs this no more.
		FormerFingerprint: fingerprint(norm.NFD, does, id, asksFor),
	}, nil
}

// fingerprint is that of a request whose texts are in this normal form. A field that a later release adds comes last in asksFor,
// with its name, and only where it is given: a request without it must stay the same.
func fingerprint(form norm.Form, does string, id uint64, asksFor []string) [32]byte {
	parts := [][]byte{[]byte(does), []byte(strconv.FormatUint(id, 10))}
	for _, part := range asksFor {
		parts = append(parts, form.Bytes([]byte(part)))
	}
	return idempotency.Fingerprint(parts...)
}

// textOf returns the text that a field was given, "" where it was left out. No field takes an empty text.
func textOf(given *string) string {
	if given == nil {
		return ""
	}
	return *given
}

func readTransition(c *fiber.Ctx) (order.Transition, error) {
	object, err := field.Parse(c.Get(fiber.HeaderContentType), c.Body())
	if err != nil {
		return order.Transition{}, err
	}
	to := object.Text("to", field.Required, field.Check{Refuse: isState})
	note := object.Text("note", field.Optional, field.Length(1, order.MaxNote))
	if err := object.Err(); err != nil {
		return order.Transition{}, err
	}
	wanted := order.Transition{To: order.State(*to)}
	if note != nil {
		wanted.Note = *note
	}
	return wanted, nil
}

func isState(text string) string {
	if slices.Contains(order.States(), order.State(text)) {
		return ""
	}
	return fmt.Sprintf(`"%s" is not a valid choice.`, text)
}
