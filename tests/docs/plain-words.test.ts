/** Comments, messages and docs use the plain words of the field: no riddles such as "nobody" where "no caller" is meant. */
