-- What is invoked: gives back what it was given.
-- SPDX-License-Identifier: MIT
return input
