"use strict";

const sans = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", sans-serif';
const mono = 'ui-monospace, "SF Mono", "Cascadia Mono", "Roboto Mono", "Noto Sans Mono", Menlo, Consolas, monospace';

// Redoc mixes further colours from these, so it cannot take the variables of a style sheet.
const light = {
  paper: "#ffffff", side: "#fbfaf8", nested: "#f6f5f2", line: "#e4e1db", ink: "#1d1f23", soft: "#62656b", accent: "#1f5f8b", right: "#1d2329",
};
const dark = {
  paper: "#16171a", side: "#1b1c20", nested: "#202226", line: "#303339", ink: "#e9e7e2", soft: "#a2a4a9", accent: "#8ec1e6", right: "#101114",
};

// It stands for the host and the path at which the page was asked, whatever proxies are before the gateway.
const description = new URL("../openapi.json", document.baseURI).href;

const colors = matchMedia("(prefers-color-scheme: dark)").matches ? dark : light;
document.body.style.background = colors.paper;

Redoc.init(description, {
  downloadUrls: [
    { title: "JSON", url: description },
    { title: "YAML", url: new URL("../swagger.yaml", document.baseURI).href },
  ],
  sortRequiredPropsFirst: true,
  jsonSamplesExpandLevel: 3,
  theme: {
    colors: {
      primary: { main: colors.accent },
      text: { primary: colors.ink, secondary: colors.soft },
      border: { light: colors.line, dark: colors.line },
    },
    schema: { nestedBackground: colors.nested, typeNameColor: colors.soft, typeTitleColor: colors.ink, linesColor: colors.accent },
    typography: {
      fontSize: "15px",
      fontFamily: sans,
      headings: { fontFamily: sans, fontWeight: "600" },
      code: { fontFamily: mono, fontSize: "13px", color: colors.ink, backgroundColor: colors.nested },
      links: { color: colors.accent, visited: colors.accent, hover: colors.accent },
    },
    sidebar: { backgroundColor: colors.side, textColor: colors.ink },
    rightPanel: { backgroundColor: colors.right },
  },
}, document.getElementById("redoc"));
