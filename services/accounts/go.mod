module oms.internal/accounts

go 1.26.0

replace (
	oms.internal/libs => ../../libs
	oms.internal/sql => ../../sql
)
