package httpapi

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"
	"github.com/valyala/fasthttp"

	"oms.internal/libs/httpx"
	"oms.internal/libs/listing"
	"oms.internal/orders/internal/order"
	"oms.internal/orders/internal/order/ordertest"
)

// From the rows of a page to the body of the answer.
func BenchmarkListEncoding(b *testing.B) {
	requested, err := url.Parse("http://shop.test/orders/?limit=30&offset=60")
	require.NoError(b, err)
	api, app := &API{zone: time.FixedZone("KST", 9*60*60)}, fiber.New()
	for _, count := range []int{4, 30, 500} {
		b.Run(fmt.Sprint(count), func(b *testing.B) {
			rows := listing.Rows[order.Order]{Count: 1000}
			for id := range uint64(count) {
				row := ordertest.FirstOrder()
				row.ID = id + 1
				rows.Values = append(rows.Values, row)
			}
			request := listing.Request{Limit: count, Offset: 60}
			b.ReportAllocs()
			for b.Loop() {
				c := app.AcquireCtx(&fasthttp.RequestCtx{})
				if err := httpx.AnswerJSON(c, http.StatusOK, listing.NewPage(requested, request, rows, api.toResource)); err != nil {
					b.Fatal(err)
				}
				app.ReleaseCtx(c)
			}
		})
	}
}
