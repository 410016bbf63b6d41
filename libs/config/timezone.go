package config

import (
	"fmt"
	"log/slog"
	"time"
)

// TimeZone is a time.Location by its IANA name.
type TimeZone struct{ *time.Location }

// UnmarshalText looks the name up.
func (z *TimeZone) UnmarshalText(name []byte) error {
	location, err := time.LoadLocation(string(name))
	if err != nil {
		return fmt.Errorf("time zone: %w", err)
	}
	z.Location = location
	return nil
}

// LogValue shows the name.
func (z TimeZone) LogValue() slog.Value { return slog.StringValue(z.String()) }
