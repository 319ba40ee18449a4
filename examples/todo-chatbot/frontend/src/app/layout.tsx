import type { Metadata, Viewport } from "next";
import { connection } from "next/server";
import type { ReactNode } from "react";
import "./globals.css";

export const metadata: Metadata = {
  title: { default: "Todo Chatbot", template: "%s · Todo Chatbot" },
  description: "A todo list with an assistant",
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  colorScheme: "light dark",
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f5f6f8" },
    { media: "(prefers-color-scheme: dark)", color: "#14171c" },
  ],
};

export default async function RootLayout({ children }: { children: ReactNode }) {
  await connection(); // per request: a page made while building would carry no nonce
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
