package dataset

import "strings"

// table is one that is filled.
type table struct {
	schema string
	Name   string
	// rows is how many there are, 0 where that is as many as the statement makes.
	rows int
	// chunk is how many rows one statement makes. Tables that must be made in the order of a key are made by one.
	chunk int
	// insert makes the rows; {from} and {to} stand for the first and the last of a chunk.
	insert string
}

// tables returns what is filled, in this order. Rows depend on their number alone, so both servers make the same ones.
//
// Orders of a customer lie far from each other, as in life. Numbers of orders are scattered, because a new one is random. An order
// has only the first step of its timeline.
func tables(size Size, passwordHash string) []table {
	const chunk = 50_000
	values := strings.NewReplacer(
		"{members}", number(size.Members), "{hash}", passwordHash,
		"{often}", number(often), "{rareMember}", number(size.Members/Rare), "{rareOrder}", number(size.Orders/Rare),
		"{commonName}", CommonName, "{rareName}", RareName, "{commonProduct}", CommonProduct, "{rareProduct}", RareProduct,
		"{young}", number(size.Orders-size.Orders/100),
	)
	return []table{
		{"accounts", "members", size.Members, chunk, values.Replace(`
INSERT INTO members (id, email, mailbox_email, grams_email, email_key, mailbox, name, grams_name, nickname, phone, gender, password_hash, is_admin,
	is_active, created_at)
SELECT id, email, email, email, email, email, name, name, CONCAT('nick', id), CONCAT('010', LPAD(id, 8, '0')), ELT(1 + id % 3, 'M', 'F', NULL), '{hash}',
	id = 1, TRUE, TIMESTAMP '2025-01-01 00:00:00' + INTERVAL id SECOND
FROM (SELECT seq AS id, CONCAT('m', seq, '@bench.test') AS email,
	CONCAT(IF(seq % {rareMember} = 13, '{rareName}', ELT(1 + seq % 8, '김', '이', '박', '최', '정', '강', '조', '윤')),
		IF(seq % {often} = 7, '{commonName}', ELT(1 + seq DIV 8 % 8, '민준', '서연', '도윤', '지우', '하은', '예준', '수아', '지호'))) AS name
	FROM seq_{from}_to_{to}) AS numbered`)},
		// An email that repeats a piece has it once.
		{"accounts", "member_grams", 0, 0, `
INSERT IGNORE INTO member_grams (gram, member_id)
SELECT SUBSTRING(name, start.seq, length.seq), id FROM members, seq_1_to_4 AS start, seq_2_to_3 AS length
WHERE start.seq + length.seq <= CHAR_LENGTH(name) + 1
UNION ALL SELECT SUBSTRING(email, start.seq, 3), id FROM members, seq_1_to_18 AS start WHERE start.seq <= CHAR_LENGTH(email) - 2
ORDER BY 1, 2`},
		{"orders", "orders", size.Orders, chunk, values.Replace(`
INSERT INTO orders (id, customer_id, order_number, product_name, paid_at, state)
SELECT seq, CASE WHEN seq % 10 = 0 THEN 2 WHEN seq % 100 = 1 THEN 3 ELSE (3 * seq + seq DIV {members}) % {members} + 1 END,
	LPAD(CONV(seq * 2654435761 % 4294967296, 10, 36), 12, '0'),
	CONCAT(ELT(1 + seq % 6, '무지개', '유기농', '제주', '수제', '프리미엄', 'Nordic'), ' ',
		ELT(1 + seq DIV 6 % 6, '미니낭초', '감귤', '커피', 'Lamp', '머그컵', '티셔츠'), ' ', seq * 31 % 1000,
		IF(seq % {often} = 7, ' {commonProduct}', ''), IF(seq % {rareOrder} = 13, ' {rareProduct}', '')),
	TIMESTAMP '2025-01-01 00:00:00' + INTERVAL seq * 10 SECOND,
	IF(seq < {young}, IF(seq % 50 = 1, 'cancelled', 'delivered'), ELT(1 + seq % 3, 'paid', 'preparing', 'shipped'))
FROM seq_{from}_to_{to}`)},
		{"orders", "product_names", 0, 0,
			`INSERT INTO product_names (name) SELECT DISTINCT product_name COLLATE utf8mb4_bin FROM orders ORDER BY 1`},
		{"orders", "order_numbers", size.Orders, size.Orders,
			`INSERT INTO order_numbers (order_number, order_id) SELECT order_number, id FROM orders ORDER BY order_number`},
		{"orders", "order_timeline", size.Orders, chunk, `
INSERT INTO order_timeline (id, order_id, customer_id, at, actor_id, to_state, note)
SELECT id, id, customer_id, paid_at, customer_id, 'paid', '' FROM orders WHERE id BETWEEN {from} AND {to} ORDER BY id`},
	}
}

// longAgo makes an installation of long ago of it. Otherwise the orders service would look through all orders in the first week, for what
// processes of the release before may have written (services/orders/internal/store/mend.go), and might write names that are loaded, too.
const longAgo = "UPDATE goose_db_version SET tstamp = tstamp - INTERVAL 30 DAY"
