-- +goose Up
-- Pieces of members' names and emails, in lower case, by which a search finds the members that may hold a word: pieces of three
-- characters, and of two where one of these is not ASCII. A name or email in which a word stands has all pieces of the word.
CREATE TABLE IF NOT EXISTS member_grams (
    gram      VARBINARY(12)   NOT NULL COMMENT 'UTF-8',
    member_id BIGINT UNSIGNED NOT NULL,
    PRIMARY KEY (gram, member_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- +goose Down
DROP TABLE member_grams;
