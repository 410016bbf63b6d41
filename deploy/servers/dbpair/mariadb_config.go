package dbpair

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mariadbConfig returns a server's configuration without its role (see roleLines). Durability, replication and character sets are as
// in deploy/mysql. The sizes are small, so that a pair starts in about a second.
func mariadbConfig(dir string, id, port int, options Options) string {
	lines := []string{
		"[mysqld]",
		fmt.Sprintf("server_id = %d", id),
		"bind_address = 127.0.0.1",
		fmt.Sprintf("port = %d", port),
		"datadir = " + filepath.Join(dir, "data"),
		"tmpdir = " + filepath.Join(dir, "tmp"),
		"socket = " + socketPath(dir),
		"pid_file = " + filepath.Join(dir, "mariadbd.pid"),
		"skip_name_resolve = ON",
		"",
		"# Neither server loses what it has acknowledged.",
		"sync_binlog = 1",
		"innodb_flush_log_at_trx_commit = 1",
		"",
		"# Replication: row images, positions by GTID. The replica writes a log of its own, because a failover makes it the primary.",
		"log_bin = binlog",
		"binlog_format = ROW",
		"binlog_row_image = FULL",
		"binlog_expire_logs_seconds = 604800",
		"log_slave_updates = ON",
		"gtid_strict_mode = ON",
		"relay_log = relay",
		"relay_log_recovery = ON",
		"slave_net_timeout = 10",
		"# Four threads apply, and commit in the primary's order, as MySQL does by default. One thread falls behind a busy primary.",
		"slave_parallel_threads = 4",
		"",
		"# A commit is acknowledged when the other server has it, too. If that does not answer for a second, the commit is",
		"# acknowledged without it, so that the shop goes on. Both servers are configured for both roles.",
		"rpl_semi_sync_master_enabled = ON",
		"rpl_semi_sync_slave_enabled = ON",
		"rpl_semi_sync_master_wait_point = AFTER_SYNC",
		fmt.Sprintf("rpl_semi_sync_master_timeout = %d", semiSyncTimeout),
		"rpl_semi_sync_slave_kill_conn_timeout = 1",
		"",
		"# One character set and one time zone everywhere. Both engines refuse the same wrong statements.",
		"character_set_server = utf8mb4",
		"collation_server = utf8mb4_unicode_520_ci",
		"default_time_zone = +00:00",
		"sql_mode = ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
		"",
		"# The sizes are for a developer's machine.",
		"innodb_buffer_pool_size = " + options.BufferPool,
		"innodb_log_file_size = 32M",
		"max_connections = 200",
	}
	if options.CertFile != "" {
		lines = append(lines, "", "# The server offers TLS.",
			"ssl_cert = "+options.CertFile, "ssl_key = "+options.KeyFile, "tls_version = TLSv1.2,TLSv1.3")
	}
	if os.Geteuid() == 0 {
		lines = append(lines, "", "# The server runs as root only if this names it.", "user = root")
	}
	return strings.Join(lines, "\n") + "\n"
}

// roleLines returns the part of the configuration that a failover changes.
func roleLines(replica bool) string {
	if !replica {
		return ""
	}
	return "\n# Only replication writes on a replica.\nread_only = ON\n"
}

// socketPath returns a path in the server's folder. If that is too long for the kernel (about 100 bytes), the path is in the temporary
// folder.
func socketPath(dir string) string {
	const longest = 100
	path := filepath.Join(dir, "mysqld.sock")
	if len(path) <= longest {
		return path
	}
	digest := sha256.Sum256([]byte(dir))
	return filepath.Join(os.TempDir(), "oms-"+hex.EncodeToString(digest[:8])+".sock")
}
