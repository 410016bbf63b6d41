"use strict";

const sans = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif';
const mono = 'ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", "Noto Sans Mono", Menlo, Consolas, monospace';
const accent = "#1f5f8b";

// It stands for the host and the path at which the page was asked, whatever proxies are before the gateway.
const description = new URL("../openapi.json", document.baseURI).href;

Redoc.init(description, {
  downloadUrls: [
    { title: "JSON", url: description },
    { title: "YAML", url: new URL("../swagger.yaml", document.baseURI).href },
  ],
  sortRequiredPropsFirst: true,
  jsonSamplesExpandLevel: 3,
  theme: {
    colors: { primary: { main: accent }, text: { primary: "#1d1f23", secondary: "#62656b" } },
    schema: { nestedBackground: "#f6f5f2", linesColor: accent },
    typography: {
      fontSize: "15px",
      fontFamily: sans,
      headings: { fontFamily: sans, fontWeight: "600" },
      code: { fontFamily: mono, fontSize: "13px", color: "#1d1f23", backgroundColor: "#f6f5f2" },
      links: { color: accent, visited: accent, hover: accent },
    },
    sidebar: { backgroundColor: "#fbfaf8", textColor: "#1d1f23" },
    rightPanel: { backgroundColor: "#1d2329" },
  },
}, document.getElementById("redoc"));
