import { ApiError, sentence } from "@/lib/api";

const SENTENCES: Record<string, string> = {
  INVALID_EMAIL_OR_PASSWORD: "The e-mail address or the password is not right.",
  USER_ALREADY_EXISTS: "There is an account with this e-mail address already. Sign in instead.",
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL:
    "There is an account with this e-mail address already. Sign in instead.",
  INVALID_EMAIL: "That is not an e-mail address.",
  PASSWORD_TOO_SHORT: "The password needs at least 8 characters.",
  PASSWORD_TOO_LONG: "The password can have at most 128 characters.",
  INVALID_ORIGIN: "Sign-in is refused at this address. Open the app at its own address.",
  MISSING_OR_NULL_ORIGIN: "Sign-in is refused at this address. Open the app at its own address.",
};

/** What to tell someone whose sign-in or sign-up was refused. */
export function authSentence(error: unknown): string {
  if (!(error instanceof ApiError)) return sentence(error);
  if (error.status === 429) return "Too many attempts. Wait a minute, then try again.";
  if (error.status >= 500) return "The server cannot do that right now. Try again in a moment.";
  return SENTENCES[error.code] ?? sentence(error);
}
