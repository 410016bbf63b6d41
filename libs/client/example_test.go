package client_test

import (
	"context"
	"errors"
	"log"

	"oms.internal/libs/client"
	"oms.internal/libs/client/api"
	"oms.internal/libs/fault"
)

// A change that overwrites nobody's: it is made under the tag of what was looked at, and where that is not the present one any more, all
// begins again. It is not run, because it needs a system; that of the package's comment is.
func ExampleClient_ChangeOrder() {
	ctx := context.Background()
	oms, err := client.New("http://localhost:8080", client.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := oms.LogIn(ctx, api.Credentials{Email: "sungi@example.com", Password: "Jhlee'spwd0"}); err != nil {
		log.Fatal(err)
	}
	for {
		order, err := oms.GetOrder(ctx, 12, nil)
		if err != nil {
			log.Fatal(err)
		}
		product := order.ProductName + ", gift-wrapped"
		_, err = oms.ChangeOrder(ctx, order.ID, api.OrderChange{ProductName: &product}, &api.ChangeOrderParams{IfMatch: &order.ETag})
		if refusal, ok := errors.AsType[*client.Error](err); ok && refusal.Code == fault.PreconditionFailed {
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		return
	}
}
